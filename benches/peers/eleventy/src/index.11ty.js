import { escape, indexPath, indexes, page, post, threadPath } from "./board.js";

export const data = {
  at: indexes.map((_, at) => at),
  pagination: { data: "at", size: 1, alias: "number" },
  permalink: ({ number }) => indexPath(indexes[number].board, indexes[number].number),
};

const section = (thread) => {
  const href = threadPath(thread);
  const shown = [thread.posts[0], ...thread.posts.slice(1).slice(-5)];
  return `<section>
<h2><a href="${href}">${escape(thread.title)}</a></h2>
${shown.map((each) => post(each, href)).join("")}<p>${thread.replies} replies</p>
</section>
`;
};

export function render({ number }) {
  const index = indexes[number];
  const links = Array.from({ length: index.pages }, (_, at) => at + 1);
  const nav = links.map((each) => `<a href="${indexPath(index.board, each)}">${each}</a>`).join("\n");
  return page(index.board.title, `${index.threads.map(section).join("")}<nav>\n${nav}\n</nav>`);
}
