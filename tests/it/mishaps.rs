//! Odd things in the folders of a site: none of them hangs, doubles or ends anything.

mod clock;
mod disk;
mod flood;
mod mount;

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use nejiboard::model::Arrival;
use nejiboard::store::inbox::{Inbox, Taking};

use super::sandbox::running::run;
use super::sandbox::{Sandbox, publish};

const ONE_THREAD: &str = "
==> content/tech/1.md
--- {no: 1, at: 2025-03-02, id: abc}
the first post
";

#[test]
fn a_pipe_in_the_place_of_a_thread_is_told_and_passed_over() {
    let site = Sandbox::new(ONE_THREAD);
    let pipe = site.path("content/tech/7.md");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || told.send((site.build().problems, site)));
    let (problems, site) = heard.recv_timeout(Duration::from_secs(20)).expect("the build waits for the pipe");
    assert!(problems.iter().any(|problem| problem.path == pipe && problem.message.contains("not a file")));
    assert!(site.has_page("tech/thread/1.html") && !site.has_page("tech/thread/7.html"));
}

#[test]
fn a_thread_from_the_far_future_is_built() {
    let site = Sandbox::new(ONE_THREAD);
    let file = File::options().write(true).open(site.path("content/tech/1.md")).unwrap();
    // No number of nanoseconds of 64 bits reaches the year 2400.
    file.set_modified(UNIX_EPOCH + Duration::from_secs(430 * 31_556_952)).unwrap();
    assert_eq!(site.build().problems, []);
    assert!(site.has_page("tech/thread/1.html"));
}

/// The file may be unreadable for a moment. To take that for "not posted yet" would post it twice.
#[test]
fn a_thread_whose_file_cannot_be_read_is_not_opened_again() {
    let site = Sandbox::new(ONE_THREAD);
    let (mut builder, _) = site.open();
    publish(&mut builder);
    site.write("posts-inbox/again.md", "--- {board: tech, id: abc}\nthe first post\n");
    let inbox = Inbox::open(site.path("posts-inbox")).unwrap();
    let Taking::Posts(arrivals, _) = inbox.take("again.md", UNIX_EPOCH).unwrap() else { panic!("it is a post") };
    let again: Vec<Arrival> = arrivals.clone();
    assert_eq!(builder.commit(arrivals).placed.len(), 1, "it is found");
    site.remove("content/tech/1.md");
    fs::create_dir(site.path("content/tech/1.md")).unwrap();
    let committed = builder.commit(again);
    assert_eq!((committed.failed.len(), committed.placed.len()), (1, 0));
    assert!(!site.path("content/tech/2.md").exists(), "the thread is there twice");
}

#[test]
fn a_folder_that_is_no_site_stays_as_it_is() {
    let folder = Sandbox::empty();
    for command in ["build", "verify", "serve"] {
        let told = run(folder.root(), &[command]);
        assert_eq!(told.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&told.stderr).contains("there is no site"), "{told:?}");
        assert_eq!(fs::read_dir(folder.root()).unwrap().count(), 0, "{command} left something");
    }
}

/// SECURITY: pages would be written to wherever the link leads.
#[test]
fn a_link_in_the_output_is_replaced_and_not_followed() {
    let site = Sandbox::new(ONE_THREAD);
    site.build();
    fs::rename(site.path("public/tech"), site.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(site.path("elsewhere"), site.path("public/tech")).unwrap();
    site.write("content/tech/1.md", "--- {no: 1, at: 2025-03-02}\nan edit\n");
    site.build();
    assert!(site.page("tech/thread/1.html").contains("an edit"));
    assert!(!site.path("public/tech").is_symlink());
    assert!(!site.read("elsewhere/thread/1.html").contains("an edit"));
}
