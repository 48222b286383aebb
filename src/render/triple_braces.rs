//! Which values may stand in triple braces, where handlebars escapes nothing.
//!
//! Only three can: what stands under their names there is made by this room. A name alone proves nothing, for a form
//! holds the `body` that was typed, and templates can give names to values. So each has its templates, and nothing
//! else may get its name.

use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement};

/// Values that may stand in triple braces, and in which templates.
const SAFE: [(&str, &[&str]); 3] =
    [("body", &["post"]), ("opening", &["tail"]), ("posts", &["index", "overboard", "tail", "thread"])];

/// Line and column, counted from 1.
type Place = (usize, usize);

/// The first use of triple braces in the template `name` that could put what a stranger typed into a page as markup:
/// what is wrong with it, and where.
///
/// SECURITY: it would be script in the site's pages.
pub fn first_fault(name: &str, template: &Template) -> Option<(String, Place)> {
    template.elements.iter().zip(&template.mapping).find_map(|(element, mapping)| {
        let here = |message| (message, (mapping.0, mapping.1));
        match element {
            TemplateElement::HtmlExpression(expression) => unsafe_value(name, expression).map(here),
            TemplateElement::HelperBlock(block) => {
                let parts = [&block.template, &block.inverse].into_iter().flatten();
                renamed(block).map(here).or_else(|| parts.filter_map(|part| first_fault(name, part)).next())
            }
            TemplateElement::PartialExpression(partial) => bad_partial(partial).map(here),
            TemplateElement::PartialBlock(partial) => bad_partial(partial).map(here).or_else(|| inside(name, partial)),
            TemplateElement::DecoratorBlock(decorator) => inside(name, decorator),
            _ => None,
        }
    })
}

fn inside(name: &str, decorator: &DecoratorTemplate) -> Option<(String, Place)> {
    decorator.template.as_ref().and_then(|template| first_fault(name, template))
}

fn unsafe_value(template: &str, expression: &HelperTemplate) -> Option<String> {
    let value = expression.name.as_name().map_or_else(|| format!("{:?}", expression.name), str::to_owned);
    let alone = expression.params.is_empty() && expression.hash.is_empty();
    let safe = |(name, templates): &(&str, &[&str])| *name == value && templates.contains(&template);
    if alone && SAFE.iter().any(safe) {
        return None;
    }
    Some(format!("`{value}` stands in triple braces, but may hold what a stranger typed; write {{{{{value}}}}}"))
}

/// `{{#each list as |body|}}` would put another value under a safe name.
fn renamed(block: &HelperTemplate) -> Option<String> {
    let given: Vec<&Parameter> = match block.block_param.as_ref()? {
        BlockParam::Single(name) => vec![name],
        BlockParam::Pair((first, second)) => vec![first, second],
        _ => return Some("a block that names its values so cannot be used".to_owned()),
    };
    given.into_iter().filter_map(Parameter::as_name).find_map(taken)
}

fn bad_partial(partial: &DecoratorTemplate) -> Option<String> {
    // A template that holds a safe value must not be drawn with values of another.
    let Some(name) = partial.name.as_name() else {
        return Some("the name of a partial has to stand in the template, not in a value".to_owned());
    };
    let plain = name.trim_matches(|c| matches!(c, '[' | ']' | '"' | '\''));
    if SAFE.iter().any(|(_, templates)| templates.contains(&plain)) {
        return Some(format!("`{plain}` is a template of its own and cannot be a partial of others"));
    }
    // Handlebars keeps these in no order, and the same fault should be told each time.
    let mut given: Vec<&str> = partial.hash.keys().map(String::as_str).collect();
    given.sort_unstable();
    given.into_iter().find_map(taken)
}

fn taken(name: &str) -> Option<String> {
    let is_safe = SAFE.iter().any(|(safe, _)| *safe == name);
    is_safe.then(|| format!("another value cannot be named `{name}`, which may stand in triple braces"))
}
