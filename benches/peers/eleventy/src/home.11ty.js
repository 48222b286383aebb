import { boards, escape, home, indexPath, page, threadPath } from "./board.js";

export const data = { permalink: "/index.html" };

const boardRow = (board) =>
  `<li><a href="${indexPath(board, 1)}">/${board.slug}/ ${escape(board.title)}</a> ${board.threads} threads, ${board.posts} posts</li>`;
const threadRow = (thread) => `<li><a href="${threadPath(thread)}">${escape(thread.title)}</a> ${thread.replies} replies</li>`;

export function render() {
  return page("Bench", `<ul>\n${boards.map(boardRow).join("\n")}\n</ul>\n<ul>\n${home.latest.map(threadRow).join("\n")}\n</ul>`);
}
