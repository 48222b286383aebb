// Finds the proof of work that the door asks for while a board is under attack. `board.js` fetches it then and not before.
// It is a module for the page and the worker that it starts.

// By hand, since crypto.subtle is absent without HTTPS, and as a promise for each hash it is a tenth as fast.
const K = new Int32Array(64), START = new Int32Array(8), W = new Int32Array(64);
const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
for (let n = 2, i = 0; i < 64; n += 1) {
	let factor = 2;
	while (n % factor) factor += 1;
	if (factor < n) continue;
	if (i < 8) START[i] = fraction(Math.sqrt(n));
	K[i++] = fraction(Math.cbrt(n));
}

// The first 32 bits of the SHA-256 of what is one block.
function firstBits(block) {
	for (let i = 0; i < 16; i += 1) W[i] = block.getInt32(4 * i);
	for (let i = 16; i < 64; i += 1) {
		const x = W[i - 15], y = W[i - 2];
		const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
		const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
		W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
	}
	// One by one: to take them all from the array at once is three times as slow.
	let a = START[0], b = START[1], c = START[2], d = START[3];
	let e = START[4], f = START[5], g = START[6], h = START[7];
	for (let i = 0; i < 64; i += 1) {
		const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
		const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
		const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
		const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
		h = g;
		g = f;
		f = e;
		e = (d + t1) | 0;
		d = c;
		c = b;
		b = a;
		a = (t1 + t2) | 0;
	}
	return (START[0] + a) >>> 0;
}

// Looks for so many milliseconds at a time; gives the proof once it is found.
export function* search({ challenge, bits, numbers }, slice) {
	const bytes = new Uint8Array(64), block = new DataView(bytes.buffer);
	const head = new TextEncoder().encode(challenge + "-");
	// What the door names fits, and so do ten digits.
	if (head.length > 45 || bits > 32) throw Error("a riddle of another kind");
	bytes.set(head);
	const found = [];
	const limit = 2 ** (32 - bits);
	let until = Date.now() + slice;
	for (let n = 0; found.length < numbers; n += 1) {
		const digits = String(n);
		for (let i = 0; i < digits.length; i += 1) bytes[head.length + i] = digits.charCodeAt(i);
		const end = head.length + digits.length;
		bytes[end] = 0x80;
		block.setInt32(60, 8 * end);
		if (firstBits(block) < limit) found.push(n);
		if (n % 1000 === 0 && Date.now() > until) {
			yield;
			until = Date.now() + slice;
		}
	}
	return [challenge, ...found].join("-");
}

if (!globalThis.document) onmessage = ({ data }) => postMessage(search(data, Infinity).next().value);

let worker;
function inWorker(riddle) {
	// Whoever presses the button once more has this done for the post as it is now.
	worker?.terminate();
	return new Promise((resolve, reject) => {
		worker = new Worker(import.meta.url, { type: "module" });
		worker.onmessage = ({ data }) => resolve(data);
		worker.onerror = reject;
		worker.postMessage(riddle);
	});
}

// Where there are no workers, in pieces, so that the page goes on.
async function inPage(riddle) {
	const searching = search(riddle, 20);
	for (;;) {
		const { done, value } = searching.next();
		if (done) return value;
		await new Promise((next) => setTimeout(next));
	}
}

const tries = new Map();
/** The form with its proof. */
export default async function prove(riddle, body, notice) {
	const nonce = body.get("nonce"), tried = tries.get(nonce) ?? 0;
	// A door that is never content is not served for ever.
	if (tried > 2) throw Error("the door takes no proof");
	tries.set(nonce, tried + 1);
	notice("{{t 'script-working'}}", "notice");
	body.set("proof", await inWorker(riddle).catch(() => inPage(riddle)));
	return body;
}
