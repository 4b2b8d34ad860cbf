import type { QuarantineDocument } from './quarantine.ts';
import type { RejectionReason } from './rejection.ts';

/** Refused events that have one cause: the reason, where in the event, and who sent them. */
export interface Cluster {
  readonly reason: RejectionReason;
  /** Path of the first issue, such as `properties.mag`; empty for the whole event. */
  readonly path: string;
  /** The producer, as the envelope's source tells; empty where it could not be read. */
  readonly source: string;
  count: number;
  /** ISO 8601 arrivals of the first and last one. */
  first: string;
  last: string;
  /** What the first one was expected to be. */
  readonly expected: string;
  /** Names of up to three: `writer position`, as `show` takes them. */
  readonly samples: string[];
}

const SAMPLES_MAX = 3;

/** Clusters kept at most; the events of more causes count under the last one's reason alone. */
const CLUSTERS_MAX = 1_000;

/** Names a document: what `millrace quarantine show` takes. */
export function documentName({
  writer,
  position,
}: Pick<QuarantineDocument, 'writer' | 'position'>): string {
  return `${writer}/${position}`;
}

/** Counts refused events by cause. Holds nothing of an event but the names of paths and sources. */
export class Clusters {
  readonly #clusters = new Map<string, Cluster>();

  add(document: QuarantineDocument): void {
    const [issue] = document.issues;
    const full = this.#clusters.size >= CLUSTERS_MAX;
    const path = full ? '' : (issue?.path ?? '');
    const source = full ? '' : (document.source ?? '');
    const key = JSON.stringify([document.reason, path, source]);
    const cluster = this.#clusters.get(key) ?? {
      reason: document.reason,
      path,
      source,
      count: 0,
      first: document.arrival,
      last: document.arrival,
      expected: issue?.message ?? '',
      samples: [],
    };
    this.#clusters.set(key, cluster);
    cluster.count += 1;
    if (document.arrival < cluster.first) cluster.first = document.arrival;
    if (document.arrival > cluster.last) cluster.last = document.arrival;
    if (cluster.samples.length < SAMPLES_MAX) cluster.samples.push(documentName(document));
  }

  /** The largest first. */
  get sorted(): readonly Cluster[] {
    return [...this.#clusters.values()].sort((left, right) => right.count - left.count);
  }
}
