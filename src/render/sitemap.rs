//! What search engines are told: which pages there are, and which they may leave alone.
//!
//! The map is a list of parts, each with the threads of so many numbers of one board, so that a post changes one small
//! part however large the site is, and none has more than the 50,000 addresses that the protocol allows
//! (sitemaps.org, version 0.9).

use super::escape::push_escaped;
use super::feed::address;
use super::time::push_iso;
use crate::model::site::Board;
use crate::model::{PageKey, Site, SiteFile};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The list of all parts.
pub fn list(site: &Site) -> String {
    let mut out = String::from(HEAD);
    out.push_str("<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    for board in site.boards() {
        for span in board.spans().keys() {
            out.push_str("<sitemap><loc>");
            push_address(&mut out, site, &PageKey::SitemapPart(board.slug.clone(), *span));
            out.push_str("</loc></sitemap>\n");
        }
    }
    out.push_str("</sitemapindex>\n");
    out
}

/// The threads of a part, and with the first one the board itself.
pub fn part(site: &Site, board: &Board, span: u64) -> String {
    let mut out = String::from(HEAD);
    out.push_str("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    if board.spans().keys().next() == Some(&span) {
        out.push_str("<url><loc>");
        push_address(&mut out, site, &PageKey::Index(board.slug.clone(), 1));
        out.push_str("</loc></url>\n");
    }
    for summary in board.span(span) {
        out.push_str("<url><loc>");
        push_address(&mut out, site, &PageKey::Thread(board.slug.clone(), summary.no));
        out.push_str("</loc>");
        if 0 < summary.last_at {
            out.push_str("<lastmod>");
            push_iso(&mut out, summary.last_at);
            out.push_str("</lastmod>");
        }
        out.push_str("</url>\n");
    }
    out.push_str("</urlset>\n");
    out
}

/// What robots may do: read all but the pages of staff. On a host that the site shares with others it is for these to say.
pub fn robots(site: &Site) -> String {
    let mut out = format!("User-agent: *\nDisallow: {}mod/\n", site.settings.prefix());
    if site.settings.base_url.origin().is_some() {
        out.push_str("\nSitemap: ");
        out.push_str(&address(site, &PageKey::OfSite(SiteFile::Sitemap)));
        out.push('\n');
    }
    out
}

fn push_address(out: &mut String, site: &Site, key: &PageKey) {
    push_escaped(out, &address(site, key));
}
