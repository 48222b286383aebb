//! A theme, compiled: templates that are known to work, and assets under names that tell their content.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use handlebars::template::Template;
use handlebars::{Handlebars, JsonTruthy, RenderError, Renderable};
use serde::Serialize;

use super::assets;
use super::page_template::PageTemplate;
use super::post_template::PostTemplate;
use super::refusals;
use super::samples;
use super::time::TimeForm;
use super::triple_braces;
use super::values::Record;
use super::views::{PostView, SafeHtml, Slot};
use super::wording::{self, Misworded, Places, Worded};
use crate::model::theme::{ThemeFile, ThemeFiles};
use crate::model::{BoardSettings, Refusal, Texts};

/// Templates that every theme has; the built-in one provides those that a theme leaves out.
pub const TEMPLATES: [&str; 12] =
    ["archive", "catalog", "error", "home", "index", "log", "moved", "overboard", "post", "safe", "tail", "thread"];

/// The template that is none of a page.
const POST: &str = "post";

/// A theme that can draw.
pub struct Theme {
    templates: Handlebars<'static>,
    /// `post.hbs`, compiled; `None` if it is too clever for that.
    post: Option<PostTemplate>,
    /// The pages' templates, compiled, but for those that are too clever.
    pages: BTreeMap<&'static str, PageTemplate>,
    /// By path below `public/`.
    assets: BTreeMap<String, Vec<u8>>,
    /// Where each can be fetched, by its name below the theme's `assets/`.
    hrefs: BTreeMap<String, String>,
    origins: BTreeMap<String, Origin>,
    texts: Texts,
    time: TimeForm,
    anonymous: String,
    hash: u64,
}

/// Where a template came from.
struct Origin {
    path: PathBuf,
    places: Places,
}

/// What is wrong with a theme, and where.
#[derive(Clone, Debug, thiserror::Error)]
pub struct BadTheme {
    /// The file.
    pub path: PathBuf,
    /// Line and column, counted from 1, if known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for BadTheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Theme {
    /// Compiles a theme with its texts for a site below `prefix`, and draws each kind of page once to see that it can.
    pub fn compile(files: &ThemeFiles, texts: &Texts, prefix: &str) -> Result<Theme, BadTheme> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        let mut origins = BTreeMap::new();
        let mut published = BTreeMap::new();
        let mut asset_names = BTreeMap::new();
        for (path, file) in &files.files {
            if let Some(name) = template_name(path) {
                let (template, places) = parse(name, file, texts)?;
                templates.register_template(name, template);
                origins.insert(name.to_owned(), Origin { path: file.origin.clone(), places });
            }
        }
        for (name, asset) in assets::collect(files, texts)? {
            asset_names.insert(name, format!("{prefix}{}", asset.path));
            published.insert(asset.path, asset.bytes);
        }
        let compiled = |name: &&'static str| Some((*name, PageTemplate::compile(name, &templates, &asset_names)?));
        let pages = TEMPLATES.iter().filter(|name| **name != POST).filter_map(compiled).collect();
        templates.register_helper("asset", Box::new(AssetHelper { hrefs: asset_names.clone() }));
        templates.register_helper("if", Box::new(StrictIf { positive: true }));
        templates.register_helper("unless", Box::new(StrictIf { positive: false }));
        let post = templates.get_template(POST).and_then(PostTemplate::compile);
        let (time, anonymous) = (TimeForm::of(texts), texts.say("anonymous", &[]));
        let theme = Theme {
            templates,
            post,
            pages,
            assets: published,
            hrefs: asset_names,
            origins,
            texts: texts.clone(),
            time,
            anonymous,
            hash: hash_of(files, texts),
        };
        theme.try_out(prefix)?;
        Ok(theme)
    }

    /// Paths below `public/` of all assets.
    pub fn assets(&self) -> impl Iterator<Item = &str> {
        self.assets.keys().map(String::as_str)
    }

    /// An asset by its path below `public/`.
    pub fn asset(&self, path: &str) -> Option<&[u8]> {
        self.assets.get(path).map(Vec::as_slice)
    }

    /// Where an asset can be fetched, by its name below the theme's `assets/`.
    pub fn href(&self, name: &str) -> Option<&str> {
        self.hrefs.get(name).map(String::as_str)
    }

    /// Changes whenever a file of the theme does, or a text.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// What the theme says for a key, with values put in.
    pub(super) fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.texts.say(key, values)
    }

    /// A refusal in a sentence, in the language of the site.
    pub fn sentence(&self, refusal: &Refusal) -> String {
        refusals::sentence(&self.texts, refusal)
    }

    /// What a poster is told whose post somebody looks at before it is shown.
    pub fn held_sentence(&self) -> String {
        self.texts.say("post-held-next", &[])
    }

    /// How times are written.
    pub(super) fn time(&self) -> &TimeForm {
        &self.time
    }

    /// What a post without a name is signed with on a board.
    pub(super) fn anonymous<'a>(&'a self, settings: &'a BoardSettings) -> &'a str {
        match settings.anonymous_name.as_str() {
            "" => &self.anonymous,
            name => name,
        }
    }

    /// Draws a page: `template` with the values of `view`, and `posts` in its slots.
    pub(super) fn draw<V: Serialize + Record>(
        &self,
        template: &str,
        view: &V,
        posts: &[&SafeHtml],
    ) -> Result<String, BadTheme> {
        let compiled = self.pages.get(template).and_then(|page| page.draw(view, posts));
        compiled.map_or_else(|| self.draw_around(template, view, posts), Ok)
    }

    /// The same by handlebars. It copies its values again and again; a thread's posts are too many for that. They are
    /// put in after it is done.
    fn draw_around(&self, template: &str, view: &impl Serialize, posts: &[&SafeHtml]) -> Result<String, BadTheme> {
        let around = self.draw_by_handlebars(template, view)?;
        let mut out = String::with_capacity(around.len() + posts.iter().map(|posts| posts.0.len()).sum::<usize>());
        // Each slot is a number between two marks; a mark stands nowhere else.
        for (place, piece) in around.split(Slot::MARK).enumerate() {
            match place % 2 {
                0 => out.push_str(piece),
                _ => out.push_str(
                    piece.parse().ok().and_then(|at: usize| posts.get(at)).map_or("", |posts| posts.as_str()),
                ),
            }
        }
        Ok(out)
    }

    /// Draws `template` with `values` by handlebars alone: what the compiled templates must equal, byte for byte.
    pub fn draw_by_handlebars(&self, template: &str, values: &impl Serialize) -> Result<String, BadTheme> {
        self.templates.render(template, values).map_err(|error| self.explain(template, &error))
    }

    /// The same theme with nothing compiled, to compare with.
    pub fn uncompiled(mut self) -> Theme {
        self.post = None;
        self.pages.clear();
        self
    }

    /// Which templates are compiled; the others are left to handlebars.
    pub fn compiled(&self) -> impl Iterator<Item = &'static str> {
        self.pages.keys().copied()
    }

    /// Draws `post.hbs` for one post.
    pub fn draw_post(&self, post: &PostView<'_>, out: &mut String) -> Result<(), BadTheme> {
        match &self.post {
            Some(compiled) => compiled.draw(post, out),
            None => out.push_str(&self.draw_by_handlebars(POST, post)?),
        }
        Ok(())
    }

    /// Whether `post.hbs` is simple enough to be compiled.
    pub fn post_is_compiled(&self) -> bool {
        self.post.is_some()
    }

    fn explain(&self, template: &str, error: &RenderError) -> BadTheme {
        let name = error.template_name.as_deref().unwrap_or(template);
        let origin = self.origins.get(name);
        let path = origin.map_or_else(|| PathBuf::from(name), |origin| origin.path.clone());
        let place = error.line_no.map(|line| (line, error.column_no.unwrap_or(1)));
        let place = place.map(|place| origin.map_or(place, |origin| origin.places.original(place)));
        BadTheme { path, place, message: error.reason().to_string() }
    }

    /// SECURITY: a template that fails only on some post would let a stranger break the page with one.
    fn try_out(&self, prefix: &str) -> Result<(), BadTheme> {
        for sample in samples::pages(prefix) {
            sample.draw(self)?;
        }
        Ok(())
    }
}

/// The name of the template that a file holds: `post` for `post.hbs`, `form` for `partials/form.hbs`.
fn template_name(path: &str) -> Option<&str> {
    let stem = path.strip_suffix(".hbs")?;
    let stem = stem.strip_prefix("partials/").unwrap_or(stem);
    (!stem.contains('/')).then_some(stem)
}

fn parse(name: &str, file: &ThemeFile, texts: &Texts) -> Result<(Template, Places), BadTheme> {
    let wrong = |place, message: String| BadTheme { path: file.origin.clone(), place, message };
    let text = std::str::from_utf8(&file.bytes).map_err(|_| wrong(None, "this template is not UTF-8".to_owned()))?;
    let Worded { source, places } = wording::expand(text, texts).map_err(|bad| misworded(file, bad))?;
    let template = Template::compile_with_name(source, name.to_owned()).map_err(|error| {
        let place = error.pos().map(|place| places.original(place));
        wrong(place, error.reason().to_string())
    })?;
    match triple_braces::first_fault(name, &template) {
        Some((fault, at)) => Err(wrong(Some(places.original(at)), fault)),
        None => Ok((template, places)),
    }
}

/// An asset as it is, or a script with its texts.
pub(super) fn asset_bytes(name: &str, file: &ThemeFile, texts: &Texts) -> Result<Vec<u8>, BadTheme> {
    match std::str::from_utf8(&file.bytes) {
        Ok(script) if name.ends_with(".js") => {
            let expanded = wording::expand_script(script, texts).map_err(|bad| misworded(file, bad))?;
            Ok(wording::without_comments(&expanded).into_bytes())
        }
        _ => Ok(file.bytes.clone()),
    }
}

fn misworded(file: &ThemeFile, bad: Misworded) -> BadTheme {
    BadTheme { path: file.origin.clone(), place: Some((bad.line, bad.column)), message: bad.message }
}

/// Files of texts do not count: of them only what this site says.
fn hash_of(files: &ThemeFiles, texts: &Texts) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for (path, file) in files.files.iter().filter(|(path, _)| !path.starts_with("locales/")) {
        add(path.as_bytes());
        add(&file.bytes);
    }
    for (key, text) in texts.iter() {
        let forms = [key, text.one().source(), text.other().source()];
        forms.into_iter().for_each(|form| add(form.as_bytes()));
    }
    hasher.digest()
}

/// `{{asset "style.css"}}`: where an asset of the theme can be fetched.
struct AssetHelper {
    hrefs: BTreeMap<String, String>,
}

impl handlebars::HelperDef for AssetHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &handlebars::Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc handlebars::Context,
        _: &mut handlebars::RenderContext<'reg, 'rc>,
    ) -> Result<handlebars::ScopedJson<'rc>, RenderError> {
        let name = helper.param(0).and_then(|param| param.value().as_str());
        let name = name.ok_or_else(|| handlebars::RenderErrorReason::ParamNotFoundForIndex("asset", 0))?;
        let href = self
            .hrefs
            .get(name)
            .ok_or_else(|| handlebars::RenderErrorReason::Other(format!("the theme has no file `assets/{name}`")))?;
        Ok(handlebars::ScopedJson::Derived(href.as_str().into()))
    }
}

/// `{{#if field}}` that takes a field which does not exist for a fault, and not for "no": strict mode lets it pass.
struct StrictIf {
    positive: bool,
}

impl handlebars::HelperDef for StrictIf {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &handlebars::Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc handlebars::Context,
        render: &mut handlebars::RenderContext<'reg, 'rc>,
        out: &mut dyn handlebars::Output,
    ) -> handlebars::HelperResult {
        let missing = handlebars::RenderErrorReason::ParamNotFoundForIndex("if", 0);
        let param = helper.param(0).ok_or(missing)?;
        if param.is_value_missing() {
            return Err(RenderError::strict_error(param.relative_path()));
        }
        let chosen = match param.value().is_truthy(false) == self.positive {
            true => helper.template(),
            false => helper.inverse(),
        };
        chosen.map_or(Ok(()), |template| template.render(registry, context, render, out))
    }
}
