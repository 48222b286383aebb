// The posts, and what all pages share. Eleventy copies what it pages through, so it is given only numbers, and this
// keeps the rest. A body is rendered once, by the Markdown engine that Eleventy itself uses.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const MarkdownIt = createRequire(process.env.ELEVENTY_PACKAGE)("markdown-it");
const markdown = new MarkdownIt();
const escape = markdown.utils.escapeHtml;

export const home = JSON.parse(readFileSync("home.json", "utf8"));
export const boards = home.boards.map((board) => ({
  ...board,
  list: JSON.parse(readFileSync(`boards/${board.slug}.json`, "utf8")),
}));
export const threads = boards.flatMap((board) => board.list);
export const indexes = boards.flatMap((board) => {
  const shown = board.list.slice(0, board.indexed);
  const pages = Math.max(1, Math.ceil(shown.length / 10));
  return Array.from({ length: pages }, (_, at) => ({
    board, pages, number: at + 1, threads: shown.slice(10 * at, 10 * at + 10),
  }));
});

const indexName = (number) => (number == 1 ? "index" : number);
export const threadPath = (thread) => `/${thread.board}/thread/${thread.no}.html`;
export const indexPath = (board, number) => `/${board.slug}/${indexName(number)}.html`;
export const catalogPath = (board) => `/${board.slug}/catalog.html`;

const nav = `<nav>
<a href="/index.html">Home</a>
${boards.map((board) => `<a href="${indexPath(board, 1)}">/${board.slug}/</a> <a href="${catalogPath(board)}">Catalog</a>`).join("\n")}
</nav>`;

export const page = (title, main) => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
</head>
<body>
${nav}
<main>
<h1>${escape(title)}</h1>
${main}
</main>
</body>
</html>
`;

export const post = (post, href) => {
  post.html ??= markdown.render(post.body);
  return `<article class="post" id="p${post.no}">
<header><b class="name">${escape(post.name)}</b> <time datetime="${post.iso}">${post.time}</time> <a class="no" href="${href}#p${post.no}">No. ${post.no}</a></header>
<div class="body">${post.html}</div>
</article>
`;
};

export { escape };
