import pc from 'picocolors';
import type { AlarmNotification } from '../../cloudwatch/notification.ts';

/** What a text of a notification is made with. */
export interface RenderOptions {
  readonly nowMs: number;
  /** Where the local page is, if it is served. */
  readonly pageUrl: string | undefined;
}

/**
 * A notification as it arrived, for a terminal: what, since when, how bad, and where to look.
 *
 * @returns undefined for an alarm that came to its first state and is not on
 */
export function renderNotification(
  notification: AlarmNotification,
  { nowMs, pageUrl }: RenderOptions,
): string | undefined {
  const { alarm, state, before, description, sinceMs, reason } = notification;
  const isOn = state === 'ALARM';
  if (!isOn && before !== 'ALARM') return undefined;
  const seconds = Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  const since = `since ${new Date(sinceMs).toISOString().slice(11, 19)} UTC, ${seconds} s ago`;
  const head = isOn ? pc.red(pc.bold(`▲ ALARM ${alarm}`)) : pc.green(pc.bold(`✓ OK ${alarm}`));
  const [what = '', ...rest] = description.split('\n');
  const lines = isOn ? [what, ...rest.map((line) => localLink(line, pageUrl))] : [`over: ${what}`];
  return [`${head}  ${since}`, ...lines, pc.dim(reason)].map(indented).join('\n');
}

/** A dashboard of this deployment is on the local page, not in AWS. */
function localLink(line: string, pageUrl: string | undefined): string {
  const dashboard = /^Dashboard ([\w-]+): /.exec(line)?.[1];
  if (dashboard === undefined) return line;
  return pageUrl === undefined
    ? `Dashboard ${dashboard} (npm start -- --keep shows it)`
    : `Dashboard ${dashboard}: ${pageUrl}#${dashboard}`;
}

function indented(line: string, index: number): string {
  return index === 0 ? line : `  ${line}`;
}
