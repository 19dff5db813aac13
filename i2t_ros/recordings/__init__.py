"""What recordings show: bags, videos and folders of pictures, read, described and written again."""
