//! Several boards at once, from the root of a saved tree.

use std::fs;

use super::{import, thread};
use crate::sandbox::Sandbox;

fn posts(no: u64, text: &str) -> String {
    format!("{{\"posts\":[{{\"no\":{no},\"resto\":0,\"time\":{no}0,\"sub\":\"S{no}\",\"com\":\"{text}\"}}]}}")
}

#[test]
fn folders_become_boards_with_the_names_that_the_tree_tells() {
    let site = Sandbox::new("");
    site.write(
        "in/boards.json",
        r#"{"boards":[{"board":"a","title":"Anime &amp; Manga","meta_description":"&quot;/a/&quot; is it"}]}"#,
    );
    site.write("in/a/thread/1.json", posts(1, "on a"));
    site.write("in/b/res/1.json", posts(1, "on b"));
    site.write("in/b/index.html", "<header><h1>/b/ - Random</h1></header>");
    site.write("in/deep/er/c/res/7.json", posts(7, "on c"));
    site.write("in/stray/9.json", posts(9, "nowhere"));
    site.write("in/Not-A-Board/res/9.json", posts(9, "nowhere"));
    site.write("in/mirror/b/res/2.json", posts(2, "another b"));
    let told = import(&site, &["vichan", "in"]);
    assert_eq!((told.code, told.count("posts"), told.lost("threads without a board")), (1, 3, 3), "{}", told.err);
    for part in [
        "in/Not-A-Board/res: `Not-A-Board` cannot be a board: a board's name is 1 to 32 of `a-z` and `0-9`",
        "in/stray: the threads here do not say which board they are from",
        "in/mirror/b/res: /b/ came already, from `",
        "/in/b`\n  hint: ",
        "hint: name a board with `--board B`",
    ] {
        assert!(told.err.contains(part), "{part}: {}", told.err);
        assert!(told.report.contains(part), "{part}: {}", told.report);
    }
    assert!(thread(&site, "a/1").contains("on a") && thread(&site, "b/1").contains("on b"));
    let titles = ["a", "b", "c"].map(|board| site.read(&format!("content/{board}/board.yaml")));
    assert!(titles[0].contains("title: \"Anime & Manga\"\n") && titles[0].contains("/a/\\\" is it"), "{}", titles[0]);
    assert!(titles[1].contains("title: \"Random\"\n") && titles[2].contains("title: \"c\"\n"));
    // A board whose name cannot be one here goes to one that is named, and its old addresses lead there.
    let told = import(&site, &["vichan", "in/Not-A-Board", "--board", "nab"]);
    told.is_fine();
    assert!(site.read("redirects.txt").contains("/Not-A-Board/res/9.html /nab/thread/9.html 301\n"));
}

#[test]
fn a_folder_of_a_board_itself_tells_its_name() {
    let site = Sandbox::new("");
    site.write("in/po/thread/1.json", posts(1, "x"));
    for source in ["in/po", "in/po/thread", "in/po/thread/1.json", "."] {
        let _ = fs::remove_dir_all(site.path("content/po"));
        import(&site, &["4chan", source]).is_fine();
        assert!(thread(&site, "po/1").contains("S1"), "{source}");
    }
}

#[test]
fn a_file_that_is_cut_off_gives_the_posts_before_that() {
    let site = Sandbox::new("");
    site.write(
        "in/b/res/1.json",
        "{\"posts\":[{\"no\":1,\"resto\":0,\"com\":\"one\"},\n{\"no\":2,\"resto\":1,\"com\":\"two\"},{\"no\":3,\"re",
    );
    site.write("in/b/res/5.json", posts(5, "five"));
    let told = import(&site, &["vichan", "in"]);
    assert!(told.err.contains("1.json:2:42: the JSON ends in the middle"), "{}", told.err);
    assert!(told.err.contains("; the 2 posts before it are kept"), "{}", told.err);
    assert_eq!((told.code, told.count("posts")), (1, 3));
    assert!(thread(&site, "b/1").contains("two"));
}
