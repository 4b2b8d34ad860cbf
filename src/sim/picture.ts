import type { SimResult, SimRun } from './schedule.ts';
import { seconds, type Told, timelineText } from './timeline.ts';
import type { TraceEntry } from './trace.ts';

const ROW = 22;
const LEFT = 250;
const WIDTH = 1200;
/** Entries that are drawn at most; the text below has the same bound. */
const DOTS_MAX = 5_000;

interface Kind {
  readonly name: string;
  readonly test: RegExp;
  readonly about: string;
}

/** What an entry is drawn as; the first that fits. */
const KINDS: readonly Kind[] = [
  { name: 'fault', test: /^#\d/, about: 'fault' },
  { name: 'bad', test: /died|threw|ran out|not taken|met by/, about: 'death, time-out, refusal' },
  {
    name: 'change',
    test: /^(split|merge|deleted|made again|disabled|enabled|checkpoint)/,
    about: 'split, merge, lost checkpoint',
  },
  { name: 'record', test: /taken as/, about: 'record put' },
  { name: 'write', test: /put/, about: 'write' },
  { name: 'other', test: /./, about: 'read, invocation' },
];

/** The lanes of one kind, such as the shards. */
interface Group {
  readonly name: string;
  readonly lanes: readonly string[];
}

/** The schedule as a picture: a lane for each shard, writer, group of cells and container. One HTML document. */
export function timelineHtml(title: string, result: Told & Pick<SimResult, 'violations'>): string {
  const groups = groupsOf(result);
  const rows = groups.flatMap(({ name, lanes }) => ['', ...lanes.map((lane) => `${name} ${lane}`)]);
  const height = (rows.length + 2) * ROW;
  const { violations } = result;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escaped(title)}</h1>
<p>${violations.length === 0 ? 'Every promise held.' : `${violations.length} promises were broken:`}</p>
${violations.length === 0 ? '' : `<pre class="broken">${escaped(violations.join('\n'))}</pre>`}
<ul>${KINDS.map(({ name, about }) => `<li><b class="${name}"></b>${about}</li>`).join('')}
<li><i class="good"></i>run that answered</li><li><i class="bad"></i>run that failed</li></ul>
<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="What happened when, by shard, writer, cells and container; the text below says the same">
${new Drawing(result, rows).svg()}
</svg></div>
<h2>What happened</h2>
<pre>${escaped(timelineText(result))}</pre>
</main></html>
`;
}

const STYLE = `
:root{color-scheme:light dark;--bad:light-dark(#c62828,#ff8a80);--fault:light-dark(#d84315,#ffab91);--change:light-dark(#6a1b9a,#ce93d8);--record:light-dark(#1565c0,#90caf9);--write:light-dark(#2e7d32,#a5d6a7);--other:light-dark(#78909c,#90a4ae);--line:light-dark(#0002,#fff2);--soft:light-dark(#0000000d,#ffffff14)}
body{font:14px/1.4 system-ui,sans-serif;margin:0}main{max-width:${WIDTH}px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem}.scroll{overflow-x:auto}
text{fill:currentColor;font-size:12px}text.head{font-weight:600}line{stroke:var(--line)}
.bad{fill:var(--bad)}.fault{fill:var(--fault)}.change{fill:var(--change)}.record{fill:var(--record)}.write,.good{fill:var(--write)}.other{fill:var(--other)}
rect{opacity:.3}rect.bad,rect.good{rx:3px}
ul{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;list-style:none;padding:0}
ul b,ul i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}ul i{border-radius:2px;width:1.6em;opacity:.5}
b.bad,i.bad{background:var(--bad)}b.fault{background:var(--fault)}b.change{background:var(--change)}b.record{background:var(--record)}b.write,i.good{background:var(--write)}b.other{background:var(--other)}
pre{overflow:auto;background:var(--soft);padding:1rem;border-radius:6px;font-size:12px}pre.broken{color:var(--bad);white-space:pre-wrap}
`;

/** Lanes in the order of their first entry would jump; in the order of names they can be found. */
function groupsOf({ trace, runs }: Told): readonly Group[] {
  const all = (of: (entry: TraceEntry) => readonly string[] | undefined) =>
    [...new Set(trace.flatMap((entry) => of(entry) ?? []))].sort(byName);
  const containers = new Set(runs.map(({ container }) => container));
  const groups = [
    { name: 'shard', lanes: all(({ places }) => places.shards?.map(shortShard)) },
    { name: 'writer', lanes: all(({ places }) => places.writers) },
    { name: 'cells', lanes: all(({ places }) => places.cells) },
    { name: 'container', lanes: [...containers].sort(byName) },
    { name: '', lanes: all(({ actor }) => (containers.has(actor) ? [] : [actor])) },
  ];
  return groups.filter(({ lanes }) => lanes.length > 0);
}

class Drawing {
  readonly #result: Told;
  readonly #rows: readonly string[];
  readonly #scale: number;

  constructor(result: Told, rows: readonly string[]) {
    this.#result = result;
    this.#rows = rows;
    const endMs = result.trace.at(-1)?.nowMs ?? result.startMs;
    this.#scale = (WIDTH - LEFT - 20) / Math.max(1, endMs - result.startMs);
  }

  svg(): string {
    const { trace, runs } = this.#result;
    const dots = trace.slice(-DOTS_MAX).flatMap((entry) => this.#dots(entry));
    const bars = runs.flatMap((run) => this.#bars(run));
    return [
      ...this.#rows.flatMap((row, index) => this.#row(row, index)),
      ...bars,
      ...dots,
      this.#axis(),
    ].join('\n');
  }

  #row(row: string, index: number): readonly string[] {
    if (row === '') return [];
    const y = yOf(index);
    return [
      `<text x="0" y="${y + 4}">${escaped(row.trim())}</text><line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>`,
    ];
  }

  #bars({ id, container, shard, startMs, endMs, ending, records }: SimRun): readonly string[] {
    const x = this.#x(startMs);
    const width = Math.max(2, this.#x(endMs) - x).toFixed(1);
    const kind = ending.startsWith('answered') ? 'good' : 'bad';
    const label = `${id}: ${records.length} records, ${ending}`;
    return [`container ${container}`, `shard ${shortShard(shard)}`].flatMap((row) => {
      const index = this.#rows.indexOf(row);
      if (index < 0) return [];
      const at = `x="${x.toFixed(1)}" y="${yOf(index) - 8}" width="${width}" height="16"`;
      return [`<rect class="${kind}" ${at}><title>${escaped(label)}</title></rect>`];
    });
  }

  #dots(entry: TraceEntry): readonly string[] {
    const { places, actor, text, nowMs } = entry;
    const kind = KINDS.find(({ test }) => test.test(text))?.name ?? 'other';
    const lanes = [
      ...(places.shards ?? []).map((shard) => `shard ${shortShard(shard)}`),
      ...(places.writers ?? []).map((writer) => `writer ${writer}`),
      ...(places.cells ?? []).map((cell) => `cells ${cell}`),
      `container ${actor}`,
      ` ${actor}`,
    ];
    const label = `${seconds(nowMs - this.#result.startMs).trim()} ${actor}: ${text}`;
    return lanes.flatMap((lane) => {
      const index = this.#rows.indexOf(lane);
      if (index < 0) return [];
      const at = `cx="${this.#x(nowMs).toFixed(1)}" cy="${yOf(index)}"`;
      return [`<circle class="${kind}" ${at} r="4"><title>${escaped(label)}</title></circle>`];
    });
  }

  #axis(): string {
    const { trace, startMs } = this.#result;
    const endMs = trace.at(-1)?.nowMs ?? startMs;
    const y = (this.#rows.length + 1) * ROW;
    return `<text x="${LEFT}" y="${y}">0 s</text><text x="${WIDTH}" y="${y}" text-anchor="end">${seconds(endMs - startMs)}</text>`;
  }

  #x(nowMs: number): number {
    return LEFT + (nowMs - this.#result.startMs) * this.#scale;
  }
}

function yOf(index: number): number {
  return index * ROW + ROW / 2;
}

/** `0` of `shardId-000000000000`, and of `0`. */
function shortShard(id: string): string {
  return String(Number(id.slice(id.lastIndexOf('-') + 1)));
}

function byName(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
