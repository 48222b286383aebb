//! The property that keeps one way to build honest: after any sequence of events, `public/` is byte for byte what a
//! clean build of the same content gives, without a draft and without a dead link at any publish on the way.
//!
//! Each sequence follows from its seed alone, so a failure names the seed and tells what was done.

mod changes;
mod world;

use changes::Kind;
use world::World;

/// Plays the sequences of these seeds. `kinds` says what may happen, each as often as it stands there.
fn check(seeds: std::ops::Range<u64>, changes_each: usize, kinds: &[Kind]) {
    for seed in seeds {
        let mut world = World::new(seed);
        for _ in 0..changes_each {
            let kind = *world.chance.one_of(kinds);
            world.change(kind);
            // Now and then several changes make one build.
            if world.chance.of(3, 4) {
                world.publish();
            }
        }
        world.publish();
        world.compare_with_clean();
    }
}

use Kind::*;

#[test]
fn posts_and_edits_lead_to_the_same_pages_as_a_clean_build() {
    check(0..150, 8, &[NewThread, NewThread, Reply, Reply, Commit, Sage, Tombstone, RemoveThread, Edit, Flag, Flag]);
}

#[test]
fn quotes_follow_posts_that_appear_move_and_vanish() {
    check(1_000..1_150, 8, &[NewThread, Reply, Commit, Tombstone, RemoveThread, MoveThread, MovePost, Edit, Spoil]);
}

#[test]
fn restarts_with_whatever_was_remembered_lead_to_the_same_pages() {
    check(2_000..2_110, 7, &[NewThread, Reply, Edit, RemoveThread, Flag, Restart, Restart, Tamper, LosePublic]);
}

#[test]
fn boards_and_settings_may_change_at_any_time() {
    check(
        3_000..3_084,
        8,
        &[NewThread, Reply, RemoveThread, AddBoard, RemoveBoard, Settings, Settings, Theme, BadSettings, Restart],
    );
}

#[test]
fn threads_may_become_long_and_short_again_in_any_way() {
    check(
        5_000..5_040,
        8,
        &[
            Lengthen,
            Lengthen,
            Lengthen,
            Shorten,
            Shorten,
            Reply,
            Commit,
            Commit,
            Sage,
            Tombstone,
            Edit,
            MoveThread,
            RemoveThread,
            MovePost,
            Flag,
            Spoil,
            Restart,
            Tamper,
            Settings,
        ],
    );
}

#[test]
fn many_changes_at_once_lead_to_the_same_pages() {
    check(4_000..4_006, 3, &[Burst, Burst, Reply, RemoveThread, MoveThread, Restart]);
}

#[test]
fn threads_may_go_to_other_boards_and_come_back_in_any_way() {
    check(
        7_000..7_060,
        16,
        &[NewThread, NewThread, Reply, Reply, Relocate, Relocate, Relocate, Return, Tombstone, Edit, RemoveThread],
    );
    check(
        7_500..7_520,
        10,
        &[NewThread, Reply, Commit, Relocate, Relocate, Return, MoveThread, MovePost, Lengthen, Restart, RemoveBoard],
    );
}

#[test]
fn all_that_can_happen_may_happen_in_one_life() {
    check(
        60_000..60_050,
        10,
        &[
            NewThread,
            NewThread,
            NewThread,
            Reply,
            Reply,
            Sage,
            Commit,
            Commit,
            Tombstone,
            RemoveThread,
            Edit,
            Flag,
            MoveThread,
            Relocate,
            Return,
            MovePost,
            Spoil,
            Restart,
            Tamper,
            LosePublic,
            AddBoard,
            RemoveBoard,
            Settings,
            Theme,
            BadSettings,
        ],
    );
}
