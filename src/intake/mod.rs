//! HTTP request to `Submission`, or `Refusal` to HTTP response.
mod des;
pub mod tripcode;
