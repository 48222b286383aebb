//! Settings: text to values, or to messages that help.

use std::path::Path;

use nejiboard::store::settings::read_site;

#[test]
fn every_problem_of_a_file_is_told_at_its_place() {
    let problems = read_site(Path::new("site.yaml"), "titel: x\nhome_threads: 500\n").expect_err("two problems");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "site.yaml:1:1: unknown setting `titel`\n  hint: did you mean `title`?",
            "site.yaml:2:15: `home_threads` cannot be `500`\n  hint: a whole number from 0 to 100",
        ]
    );
}
