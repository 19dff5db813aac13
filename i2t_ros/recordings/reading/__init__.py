"""What recordings hold: their images, with the times at which they were taken."""
