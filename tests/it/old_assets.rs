//! A new theme: each page is of one theme, and what pages of before name stays for a day.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use nejiboard::app::builder::Manner;

use super::sandbox::running::{Running, get, run};
use super::sandbox::{Sandbox, files_below};

const SITE: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, subject: First}
the first post
==> themes/default/assets/style.css
p { margin: 0px }
";

/// The style sheets in `public/`.
fn sheets(site: &Sandbox) -> Vec<String> {
    let files = files_below(&site.path("public/assets"));
    files.into_keys().filter(|path| path.starts_with("style.")).collect()
}

fn restyle(site: &Sandbox, look: u32) {
    let next = site.path(".next");
    fs::write(&next, format!("p {{ margin: {look}px }}\n")).unwrap();
    fs::rename(next, site.path("themes/default/assets/style.css")).unwrap();
}

fn assert_verified(site: &Sandbox) {
    let verified = run(site.root(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn old_assets_stay_for_a_day_whichever_way_it_is_built() {
    for manner in [Manner::Incremental, Manner::Clean] {
        let site = Sandbox::new(SITE);
        site.build();
        let first = sheets(&site);
        restyle(&site, 1);
        site.build_in(manner);
        assert_eq!(sheets(&site).len(), 2, "{manner:?}");
        assert!(sheets(&site).contains(&first[0]));
        assert!(site.page("index.html").contains("style."), "it names the new one");
        assert!(!site.page("index.html").contains(&first[0]));
        let again = site.build_in(manner);
        assert!(again.written.is_empty() && again.removed.is_empty(), "{manner:?}: {again:?}");
        assert_verified(&site);
        // A day later.
        let list = site.read(".nejiboard/old-assets");
        let (began, path) = list.trim().split_once(' ').unwrap();
        let before = began.parse::<u64>().unwrap() - 86_400;
        site.write(".nejiboard/old-assets", format!("{before} {path}\n"));
        let report = site.build_in(manner);
        assert_eq!(report.removed, [format!("assets/{}", first[0])], "{manner:?}");
        assert_eq!(sheets(&site).len(), 1, "{manner:?}");
        assert_eq!(site.read(".nejiboard/old-assets"), "");
        assert_verified(&site);
    }
}

#[test]
fn a_theme_that_comes_back_is_not_old() {
    let site = Sandbox::new(SITE);
    site.build();
    let first = sheets(&site);
    for look in [1, 0] {
        restyle(&site, look);
        site.build();
    }
    assert!(site.page("index.html").contains(&first[0]));
    let list = site.read(".nejiboard/old-assets");
    assert!(!list.contains(&first[0]) && list.lines().count() == 1, "{list}");
}

#[test]
fn what_only_looks_like_an_old_asset_goes_at_once() {
    let site = Sandbox::new(SITE);
    site.build();
    restyle(&site, 1);
    site.build();
    site.write("public/assets/style.0123456789abcdef.css", "no such hash");
    site.write("public/assets/note.txt", "a stranger");
    let is_old = |sheet: &String| !site.page("index.html").contains(sheet) && !sheet.contains("0123456789abcdef");
    let old = sheets(&site).into_iter().find(is_old).unwrap();
    // Somebody has changed an old one.
    site.write(&format!("public/assets/{old}"), "p { margin: 9px }");
    site.build();
    assert_eq!(sheets(&site).len(), 1);
    assert!(!site.has_page("assets/note.txt"));
    assert_verified(&site);
}

#[test]
fn while_themes_change_no_page_names_what_is_not_there() {
    let site = Sandbox::new(SITE);
    for no in 2..40 {
        site.write(&format!("content/tech/{no}.md"), format!("--- {{no: {no}}}\ntext\n"));
    }
    let running = Running::start(site.root());
    let (address, done) = (running.address, AtomicBool::new(false));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut seen, mut reads) = (Vec::new(), 0);
            while !done.load(Ordering::Relaxed) {
                for path in ["/tech/thread/1.html", "/tech/index.html", "/index.html"] {
                    let page = get(address, path);
                    assert!(page.status == 200 && page.body.ends_with("</html>\n"), "{page:?}");
                    let sheet = page.body.split("/assets/style.").nth(1).unwrap().split('"').next().unwrap();
                    assert_eq!(page.body.matches("/assets/style.").count(), 1, "one theme a page");
                    seen.push(format!("/assets/style.{sheet}"));
                    // All that any page has named since the beginning.
                    seen.dedup();
                    reads += 1;
                    let last = &seen[reads % seen.len()];
                    assert_eq!(get(address, last).status, 200, "{last}");
                }
            }
            seen.sort();
            seen.dedup();
            for sheet in &seen {
                assert_eq!(get(address, sheet).status, 200, "{sheet}");
            }
            seen.len()
        });
        for look in 1..6 {
            restyle(&site, look);
            running.wait_for("/tech/thread/39.html", &newest(look));
        }
        done.store(true, Ordering::Relaxed);
        assert!(2 <= reader.join().unwrap());
    });
    assert!(running.terminate().success());
    assert_eq!(sheets(&site).len(), 6);
    assert_verified(&site);
}

/// The name of the style sheet with this look.
fn newest(look: u32) -> String {
    let hash = nejiboard::publish::hash(format!("p {{ margin: {look}px }}\n").as_bytes());
    format!("style.{hash:016x}.css")
}
