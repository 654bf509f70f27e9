"""The salon's own models of pictures and documents, with files that the club can close."""
