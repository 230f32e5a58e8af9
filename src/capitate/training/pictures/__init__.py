"""What tasks share whose networks see whole pictures: films or crops read on demand, augmented, and pooled."""
