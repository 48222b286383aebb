import { boards, catalogPath, escape, page, threadPath } from "./board.js";

export const data = {
  at: boards.map((_, at) => at),
  pagination: { data: "at", size: 1, alias: "number" },
  permalink: ({ number }) => catalogPath(boards[number]),
};

const card = (thread) =>
  `<li><h2><a href="${threadPath(thread)}">${escape(thread.title)}</a></h2> ${thread.replies} replies, <time datetime="${thread.iso}">${thread.time}</time><p>${escape(thread.teaser)}</p></li>`;

export function render({ number }) {
  const board = boards[number];
  return page(board.title, `<ul>\n${board.list.slice(0, board.indexed).map(card).join("\n")}\n</ul>`);
}
