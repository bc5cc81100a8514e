//! The shared-memory book: one writer per source, any number of readers in other processes.
