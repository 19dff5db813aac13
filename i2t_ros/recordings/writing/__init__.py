"""What comes out of recordings: tables, subtitles, annotated recordings."""
