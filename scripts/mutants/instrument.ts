import type { Site } from './find.ts';

/** A site whose changes have numbers. */
export interface NumberedSite extends Site {
  /** The mutant of each change, in their order. */
  readonly ids: readonly number[];
}

/** What the instrumented text does at a site: lets one mutant act, or notes that the site is reached. */
export type Mode = 'switch' | 'cover';

/**
 * Puts every mutant into one text, so that all are tried with one build: `($m===17?(changed):(original))`.
 * In the mode `cover` nothing is changed, and `$c[17]=1` is set where the mutant would act.
 *
 * @param sites in the order of the text, outer ones first; they nest or are apart
 */
export function instrument(text: string, sites: readonly NumberedSite[], mode: Mode): string {
  const queue = [...sites];
  const render = (start: number, end: number): string => {
    let out = '';
    let at = start;
    for (let site = queue[0]; site !== undefined && site.start < end; site = queue[0]) {
      queue.shift();
      out += text.slice(at, site.start);
      out += wrap(site, render(site.start, site.end), mode);
      at = site.end;
    }
    return out + text.slice(at, end);
  };
  return render(0, text.length);
}

function wrap(site: NumberedSite, inner: string, mode: Mode): string {
  if (mode === 'cover') {
    const marks = site.ids.map((id) => `$c[${id}]=1`);
    return site.kind === 'statement'
      ? `{${marks.join(';')};${inner}}`
      : `(${marks.join(',')},(${inner}))`;
  }
  if (site.kind === 'statement') return `{if($m!==${site.ids[0]}){${inner}}}`;
  const arms = site.changes.map(({ to }, index) => `$m===${site.ids[index]}?(${to}):`);
  return `(${arms.join('')}(${inner}))`;
}
