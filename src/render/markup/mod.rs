//! What people type, made HTML.
use crate::model::quotes::Quote;
/// Where quotes lead.
pub trait Links {
    /// Appends the href.
    fn href(&self, quote: &Quote, out: &mut String) -> bool;
}
/// Renders.
pub fn render(body: &str, _links: &impl Links, out: &mut String) {
    out.push_str(&body.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "<br>"));
}
