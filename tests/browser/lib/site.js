// A site of a test's own: a copy of the repository's content in a folder that is thrown away, served by the program.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

export const PROGRAM = process.env.NEJIBOARD ?? path.join(REPOSITORY, 'target/release/nejiboard');
const SAMPLES = process.env.NEJIBOARD_SAMPLES ?? path.join(REPOSITORY, '../shared/data');
const START_MS = 30_000;

/** The text of a sample, or `null`, told aloud, where the samples are not at hand. */
export function sample(name) {
  if (!fs.existsSync(SAMPLES)) {
    console.log(`sample data absent at ${SAMPLES}: set NEJIBOARD_SAMPLES`);
    return null;
  }
  return fs.readFileSync(path.join(SAMPLES, name), 'utf8');
}

export class Site {
  /** Copies the repository's site, lets `change` edit the copy, and serves it. */
  static async open(change = () => {}) {
    const site = new Site();
    site.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nejiboard-browser-'));
    for (const part of ['content', 'themes']) {
      fs.cpSync(path.join(REPOSITORY, part), path.join(site.dir, part), { recursive: true });
    }
    change(site.dir);
    await site.start(0);
    return site;
  }

  /** Starts the program; with port 0 the system chooses one. */
  async start(port = this.port) {
    if (!fs.existsSync(PROGRAM)) throw new Error(`${PROGRAM} is absent: run \`cargo build --release\` first`);
    const words = ['--root', this.dir, 'serve', '--listen', `127.0.0.1:${port}`];
    this.log = '';
    this.child = spawn(PROGRAM, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH } });
    this.gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stderr.setEncoding('utf8');
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.child.kill('SIGKILL');
        reject(new Error(`the program does not serve:\n${this.log}`));
      }, START_MS);
      this.child.stderr.on('data', (text) => {
        this.log += text;
        const line = /^serving (http:\/\/127\.0\.0\.1:(\d+)\/)/m.exec(this.log);
        if (!line) return;
        clearTimeout(late);
        [this.url, this.port] = [line[1], Number(line[2])];
        resolve();
      });
      this.gone.then(() => reject(new Error(`the program ended:\n${this.log}`)));
    });
  }

  /** Ends the program at once, as a power cut would. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  /** Ends the program in peace, checks that it had nothing to complain of, and removes the folder. */
  async close() {
    this.child.kill('SIGTERM');
    await this.gone;
    fs.rmSync(this.dir, { recursive: true, force: true });
    if (/panicked|ERROR/.test(this.log)) throw new Error(`the program complained:\n${this.log}`);
  }

  /** Posts as a program does, and gives the answer: `{ board, thread, no, url }` or `{ error }`. */
  async post(fields) {
    const answer = await fetch(new URL('post', this.url), {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams(fields),
    });
    return answer.json();
  }

  /** The texts of a thread's posts as its page has them, for texts without markup. */
  async texts(board, no) {
    const answer = await fetch(new URL(`${board}/thread/${no}.html`, this.url));
    const page = await answer.text();
    return [...page.matchAll(/<div class="body"[^>]*>(.*?)<\/div>/gs)].map(([, body]) => body.replaceAll(/<\/?p>/g, ''));
  }

  /** Changes a file of the content as a moderator would, beside it first. */
  edit(name, change) {
    const file = path.join(this.dir, 'content', name);
    fs.writeFileSync(`${file}.draft`, change(fs.readFileSync(file, 'utf8')));
    fs.renameSync(`${file}.draft`, file);
  }

  /** All files of the output whose name ends like this, by their path below it. */
  files(ending) {
    const folder = path.join(this.dir, 'public');
    return fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ending)).sort();
  }
}
