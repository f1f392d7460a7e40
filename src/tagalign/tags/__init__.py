"""From user tags to a vocabulary and word vectors."""
