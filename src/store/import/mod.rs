//! Other people’s archives to threads.
