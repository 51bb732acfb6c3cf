"""Judge the answers to the exercises, lesson by lesson."""
