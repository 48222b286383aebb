//! The lists: `subject.txt`, `SETTING.TXT`, `bbsmenu.html`; and that there are none if nobody wants them.

use std::fs;

use super::super::sandbox::{Sandbox, files_below};
use super::dat::site;
use super::reader::text;

const THREADS: &str = "
==> content/tech/board.yaml
title: 技術 & <more>
anonymous_name: 名無しさん
body_chars_max: 1000
body_lines_max: 31
subject_chars_max: 40
name_chars_max: 20
threads_per_page: 2
index_pages: 1
==> content/tech/1.md
--- {no: 1, at: 2025-01-01, subject: Old}
it has left the index
==> content/tech/2.md
--- {no: 2, at: 2025-02-01, subject: 'Two (2)'}
x
--- {no: 5, at: 2025-04-01}
a bump
--- {no: 6, deleted: true}
==> content/tech/3.md
--- {no: 3, at: 2025-03-01}
no subject 🍥
";

fn read(site: &Sandbox, path: &str) -> String {
    text(&fs::read(site.path("public").join(path)).unwrap())
}

#[test]
fn the_threads_of_the_index_are_listed_with_their_lines() {
    let site = site(THREADS);
    // With the line of the tombstone.
    assert_eq!(read(&site, "tech/subject.txt"), "2.dat<>Two (2) (3)\n3.dat<>no subject &#127845; (1)\n");
    assert!(site.has_page("tech/dat/1.dat"), "a thread that left the index can be read all the same");
}

#[test]
fn a_board_tells_what_it_takes() {
    let expected = "tech@nejiboard\n\
                    BBS_TITLE=技術 &amp; &lt;more&gt;\n\
                    BBS_TITLE_ORIG=技術 &amp; &lt;more&gt;\n\
                    BBS_NONAME_NAME=名無しさん\n\
                    BBS_UNICODE=pass\n\
                    BBS_NO_ID=checked\n\
                    BBS_SUBJECT_COUNT=80\n\
                    BBS_NAME_COUNT=40\n\
                    BBS_MAIL_COUNT=64\n\
                    BBS_MESSAGE_COUNT=2000\n\
                    BBS_LINE_NUMBER=16\n";
    assert_eq!(read(&site(THREADS), "tech/SETTING.TXT"), expected);
}

#[test]
fn the_menu_lists_the_boards_with_their_whole_addresses() {
    let site = site(&format!("{THREADS}==> content/art/board.yaml\ntitle: Art\n"));
    let menu = read(&site, "bbsmenu.html");
    for link in [
        "<A HREF=https://board.test/x/art/>Art</A><BR>\n",
        "<A HREF=https://board.test/x/tech/>技術 &amp; &lt;more&gt;</A><BR>\n",
    ] {
        assert!(menu.contains(link), "{link}: {menu}");
    }
    assert!(menu.contains("<META http-equiv=\"Content-Type\" content=\"text/html; charset=Shift_JIS\">"), "{menu}");
}

#[test]
fn there_is_none_of_it_unless_it_is_wanted() {
    let site = Sandbox::new(THREADS);
    let is_ours = |path: &&String| {
        path.ends_with(".dat") || ["subject.txt", "SETTING.TXT", "bbsmenu.html"].iter().any(|name| path.ends_with(name))
    };
    site.build();
    assert_eq!(files_below(&site.path("public")).keys().filter(is_ours).count(), 0);
    site.write("content/site.yaml", "title: T\nformats: 2ch\n");
    site.build();
    assert_eq!(files_below(&site.path("public")).keys().filter(is_ours).count(), 3 + 3);
    site.write("content/site.yaml", "title: T\n");
    site.build();
    assert_eq!(files_below(&site.path("public")).keys().filter(is_ours).count(), 0, "they go again");
}
