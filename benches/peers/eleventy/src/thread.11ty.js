import { page, post, threadPath, threads } from "./board.js";

export const data = {
  at: threads.map((_, at) => at),
  pagination: { data: "at", size: 1, alias: "number" },
  permalink: ({ number }) => threadPath(threads[number]),
};

export function render({ number }) {
  const thread = threads[number];
  return page(thread.title, thread.posts.map((each) => post(each, "")).join(""));
}
