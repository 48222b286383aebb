//! HTTP request to `Submission`, or `Refusal` to HTTP response.
pub mod tripcode;
