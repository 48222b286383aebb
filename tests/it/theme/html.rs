//! What must hold for the HTML of every page, whatever theme and values made it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, ExpandedName, QualName, parse_document};

/// Checks a whole page: valid HTML5, its outline, and nothing that the content security policy would stop.
pub fn check_page(template: &str, html: &str) {
    check_closed(template, html);
    let parsed = parse_document(Parsed::default(), Default::default()).one(html);
    assert_eq!(parsed.errors.take(), Vec::<String>::new(), "{template}:\n{html}");
    let elements = parsed.elements.take();
    let named = |name: &str| elements.iter().filter(|element| element.name == name).count();
    for (name, count) in [("h1", 1), ("main", 1), ("title", 1), ("script", 1), ("style", 0), ("b", 0), ("iframe", 0)] {
        assert_eq!(named(name), count, "<{name}> in {template}:\n{html}");
    }
    check_attributes(template, &elements);
}

/// Nothing that the content security policy would stop, no id twice, and a label for each field.
fn check_attributes(template: &str, elements: &[Element]) {
    let mut ids = BTreeSet::new();
    for element in elements {
        for (name, value) in &element.attributes {
            assert!(name != "style" && !name.starts_with("on"), "{template}: {name}={value}");
            assert!(name != "id" || ids.insert(value.as_str()), "{template}: id {value} twice");
            assert!(name != "src" || element.name == "script", "{template}: {name}={value}");
            assert!(name != "srcset", "{template}: {name}={value}");
        }
        let only_named = element.has("rel", "canonical") || element.has("rel", "alternate");
        let fetched = element.name == "link" && !only_named;
        let fetched = fetched || element.name == "script";
        let address = || element.get("href").or(element.get("src"));
        let own = || address().is_some_and(|href| href.starts_with("/assets/"));
        assert!(!fetched || own(), "{template}: a page fetches only what is its own: {element:?}");
    }
    for element in elements {
        let named = element.get("for").into_iter().chain(element.get("aria-labelledby"));
        for id in named.chain(element.get("aria-describedby")) {
            assert!(ids.contains(id), "{template}: nothing has the id {id}");
        }
        let field = element.name == "textarea" || (element.name == "input" && !element.has("type", "hidden"));
        let labelled = || elements.iter().any(|label| label.name == "label" && label.get("for") == element.get("id"));
        assert!(!field || labelled(), "{template}: no label for {element:?}");
    }
}

/// Every element is closed by its own end tag. In text and attributes `<` is escaped, so each one opens a tag.
pub fn check_closed(template: &str, html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let name = part.split([' ', '>', '\n']).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(end) => assert_eq!(open.pop(), Some(end), "{template}: before {part}"),
            None if matches!(name, "!DOCTYPE" | "meta" | "link" | "input" | "br") => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "{template}");
}

#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }
}

/// What the HTML5 parser says of a page: its complaints, and the elements in the order in which they open.
#[derive(Default)]
struct Parsed {
    errors: RefCell<Vec<String>>,
    elements: RefCell<Vec<Element>>,
    names: RefCell<Vec<&'static QualName>>,
}

impl Parsed {
    fn node(&self, name: QualName) -> usize {
        // The parser wants to borrow a name for as long as it likes; in a test it may live for ever.
        self.names.borrow_mut().push(Box::leak(Box::new(name)));
        self.names.borrow().len()
    }
}

impl TreeSink for Parsed {
    type Handle = usize;
    type Output = Self;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Self {
        self
    }
    fn parse_error(&self, message: Cow<'static, str>) {
        self.errors.borrow_mut().push(message.into_owned());
    }
    fn get_document(&self) -> usize {
        0
    }
    fn elem_name(&self, node: &usize) -> ExpandedName<'_> {
        self.names.borrow()[node - 1].expanded()
    }
    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> usize {
        let attributes = attributes.iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
        self.elements.borrow_mut().push(Element { name: name.local.to_string(), attributes });
        self.node(name)
    }
    fn create_comment(&self, _: StrTendril) -> usize {
        panic!("no template has a comment")
    }
    fn create_pi(&self, _: StrTendril, _: StrTendril) -> usize {
        panic!("no template has a processing instruction")
    }
    fn get_template_contents(&self, _: &usize) -> usize {
        panic!("no template has a <template>")
    }
    fn same_node(&self, one: &usize, other: &usize) -> bool {
        one == other
    }
    fn set_quirks_mode(&self, mode: QuirksMode) {
        assert_eq!(mode, QuirksMode::NoQuirks);
    }
    fn append(&self, _: &usize, _: NodeOrText<usize>) {}
    fn append_based_on_parent_node(&self, _: &usize, _: &usize, _: NodeOrText<usize>) {}
    fn append_before_sibling(&self, _: &usize, _: NodeOrText<usize>) {}
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}
    fn add_attrs_if_missing(&self, _: &usize, _: Vec<Attribute>) {}
    fn remove_from_parent(&self, _: &usize) {}
    fn reparent_children(&self, _: &usize, _: &usize) {}
}
