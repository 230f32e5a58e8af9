"""What tasks share whose networks see pictures of films or crops: reading, augmentation, networks, bundles."""
