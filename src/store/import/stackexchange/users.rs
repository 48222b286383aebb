//! The names of those who wrote, as `Users.xml` has them.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::rows::{Found, Rows};

/// The names of users.
#[derive(Default)]
pub struct Users {
    names: HashMap<u32, Box<str>>,
    /// Rows that could not be read.
    pub damaged: u64,
}

impl Users {
    /// Reads the names of these users from a file.
    pub fn read(path: &Path, wanted: &HashSet<u32>) -> io::Result<Users> {
        let mut rows = Rows::new(BufReader::with_capacity(1 << 16, File::open(path)?));
        let mut users = Users::default();
        while let Some(found) = rows.next()? {
            let Found::Element(_, element) = found else {
                users.damaged += 1;
                continue;
            };
            let row = element.attributes();
            let name = row.get("DisplayName").trim();
            if let Some(id) = row.number("Id").filter(|id| wanted.contains(id) && !name.is_empty()) {
                users.names.insert(id, name.into());
            }
        }
        Ok(users)
    }

    /// How a user signs.
    pub fn name(&self, id: u32) -> String {
        self.names.get(&id).map_or_else(|| format!("user{id}"), |name| name.to_string())
    }
}
