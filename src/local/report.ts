import path from 'node:path';
import pc from 'picocolors';
import type { Difference } from '../batch/compare.ts';
import type { StageVerdict } from './fed-stage.ts';
import { ROOT } from './paths.ts';
import type { RecordBlock } from './record-digests.ts';
import type { RunResult } from './run-types.ts';

/** Differences that are shown. */
const SHOWN = 10;

/** The end of a run, for a person. */
export function renderResult(result: RunResult): string {
  return [
    ...counts(result),
    ...verdict(result),
    ...archiveVerdict(result),
    ...closingVerdict(result),
    ...result.stages.flatMap(stageVerdict),
    ...alarms(result),
    '',
    ...nextSteps(result),
  ].join('\n');
}

/** True when everything is as a batch computation has it, and as it was sent. */
export function isEqual({ comparison, archive, closing, stages }: RunResult): boolean {
  const all = [comparison, ...stages.map((stage) => stage.comparison)];
  const differences = [...all, ...(closing === undefined ? [] : [closing])];
  return differences.every((one) => one.differences.length === 0) && archive?.equal !== false;
}

/** The end of a run, for a program: stable names. */
export function resultObject(result: RunResult): object {
  const { computed, comparison, mapping } = result;
  return {
    pipeline: result.pipeline,
    run: result.run,
    endpoint: result.endpoint,
    seconds: Number(result.seconds.toFixed(3)),
    sent: result.sent,
    accepted: computed.accepted,
    repeats: computed.repeats,
    quarantined: Object.fromEntries(computed.refused),
    invocations: mapping.invocations,
    troubled: mapping.troubled,
    givenUp: mapping.givenUp,
    cells: comparison.cells,
    equal: comparison.differences.length === 0,
    differences: comparison.differences.slice(0, 100),
    archive: result.archive ?? null,
    closing: result.closing ?? null,
    stages: result.stages.map((stage) => ({
      pipeline: stage.pipeline,
      events: stage.events,
      copies: stage.copies,
      accepted: stage.computed.accepted,
      quarantined: Object.fromEntries(stage.computed.refused),
      invocations: stage.mapping.invocations,
      cells: stage.comparison.cells,
      equal: stage.comparison.differences.length === 0,
      differences: stage.comparison.differences.slice(0, 100),
    })),
    alarms: result.alarms.map(({ alarm, raisedMs, clearedMs, reason, notifications }) => ({
      alarm,
      raised: new Date(raisedMs).toISOString(),
      cleared: clearedMs === undefined ? null : new Date(clearedMs).toISOString(),
      reason,
      notifications,
    })),
  };
}

/** Each alarm that went on, how long, and whether somebody was told. */
function alarms({ alarms: raised, alarmSpeed }: RunResult): string[] {
  if (raised.length === 0) return [pc.dim(`  no alarm (${speedText(alarmSpeed)})`)];
  const lines = raised.map(({ alarm, raisedMs, clearedMs, notifications }) => {
    const long =
      clearedMs === undefined
        ? 'still on'
        : `on for ${Math.round((clearedMs - raisedMs) / 1000)} s`;
    const told = notifications.length === 0 ? 'told by another alarm, or held back' : 'told';
    return `    ${alarm}: ${long}, ${told}`;
  });
  return [`  alarms (${speedText(alarmSpeed)}):`, ...lines];
}

/** What the speed of alarms means. */
function speedText(speed: number): string {
  const seconds = Number((60 / speed).toFixed(1));
  return `a minute of CloudWatch passes in ${seconds} s: --alarm-speed ${speed}`;
}

function counts({ pipeline, sent, seconds, computed, runs, mapping }: RunResult): string[] {
  const number = (value: number) => value.toLocaleString('en-US');
  const refused = [...computed.refused].sort((left, right) => right[1] - left[1]);
  const total = refused.reduce((sum, [, count]) => sum + count, 0);
  const reasons = refused.map(([reason, count]) => `${reason} ${number(count)}`).join(', ');
  const all = runs === 1 ? '' : ` (over ${runs} runs into the same tables)`;
  const given = mapping.givenUp > 0 ? `, ${mapping.givenUp} records given up` : '';
  return [
    `${pc.bold(pipeline)}: ${number(sent)} events in ${seconds.toFixed(1)} s, ${number(mapping.invocations)} invocations${given}`,
    `  accepted ${number(computed.accepted)}, repeats ${number(computed.repeats)}, quarantined ${number(total)}${all}${reasons === '' ? '' : `: ${reasons}`}`,
  ];
}

/** A pipeline that was fed: what came to it, and whether its results are right. */
function stageVerdict(stage: StageVerdict): string[] {
  const { pipeline, events, copies, mapping, computed } = stage;
  const number = (value: number) => value.toLocaleString('en-US');
  const again = copies === 0 ? '' : `, ${number(copies)} copies`;
  const refused = [...computed.refused.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${pc.bold(pipeline)}: ${number(events)} derived events${again}, ${number(mapping.invocations)} invocations, quarantined ${number(refused)}`,
    ...verdict(stage),
  ];
}

function verdict({ comparison }: Pick<RunResult, 'comparison'>): string[] {
  const { cells, differences } = comparison;
  if (differences.length === 0) {
    return [
      pc.green(
        `  ${cells.toLocaleString('en-US')} cells equal a batch computation of the same events, bit for bit`,
      ),
    ];
  }
  return [
    pc.red(`  ${differences.length} differences from a batch computation:`),
    ...differenceLines(differences),
  ];
}

function differenceLines(differences: readonly Difference[]): string[] {
  const lines = differences
    .slice(0, SHOWN)
    .map(
      ({ where, stored, computed }) =>
        `    ${where}: stored ${JSON.stringify(stored)}, computed ${JSON.stringify(computed)}`,
    );
  const more = differences.length > SHOWN ? [`    and ${differences.length - SHOWN} more`] : [];
  return [...lines, ...more];
}

function archiveVerdict({ archive }: RunResult): string[] {
  if (archive === undefined) return [];
  const { where, records, objects, gaps, differences } = archive;
  const number = (value: number) => value.toLocaleString('en-US');
  if (archive.equal) {
    return [
      pc.green(
        `  ${number(records)} archived records equal what was sent, byte for byte, in ${objects} objects below ${where}`,
      ),
    ];
  }
  const ends = (block: RecordBlock | undefined) =>
    block === undefined ? 'nothing' : `${block.count} records from ${block.first} to ${block.last}`;
  return [
    pc.red(`  the archive below ${where} differs from what was sent:`),
    ...gaps
      .slice(0, SHOWN)
      .map(
        ({ shard, after, until }) =>
          `    shard ${shard}: a gap after ${after ?? 'its start'}, up to ${until}`,
      ),
    ...differences
      .slice(0, SHOWN)
      .map(
        ({ shard, equal, sent, archived }) =>
          `    ${shard}: ${number(equal)} records are equal, then sent ${ends(sent)}, archived ${ends(archived)}`,
      ),
  ];
}

function closingVerdict({ closing }: RunResult): string[] {
  if (closing === undefined) return [];
  const number = (value: number) => value.toLocaleString('en-US');
  const { windows, rows, corrected, open, heard, differences } = closing;
  const text = `${number(rows)} rows of ${number(windows)} closed windows (${number(corrected)} corrected, ${number(open)} still open)`;
  if (differences.length === 0) {
    return [
      pc.green(
        `  ${text} equal the batch computation; a listener heard all of it, ${number(heard)} events`,
      ),
    ];
  }
  return [pc.red(`  ${text}: ${differences.length} differences`), ...differenceLines(differences)];
}

function nextSteps({ pipeline, endpoint, afterwards, archive, cloud }: RunResult): string[] {
  const file = path.relative(process.cwd(), path.join(ROOT, 'pipelines', pipeline, 'pipeline.ts'));
  const { aggregatesTable } = cloud.deployment;
  const look =
    afterwards === 'stopped'
      ? ['  npm start -- --keep               leave the cloud running, to look into its tables']
      : [
          `  the cloud is still up at ${endpoint}; to look into it:`,
          `    export AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1`,
          `    aws dynamodb scan --table-name ${aggregatesTable} --max-items 5`,
          ...(archive === undefined ? [] : [`    aws s3 ls --recursive ${archive.where}`]),
          ...(afterwards === 'kept'
            ? ['  npm start (without --keep) stops it and starts from nothing']
            : []),
        ];
  return [
    pc.bold('Where to look next'),
    ...look,
    '  npm start -- --bad 5 --duplicates 5   break some events, send some twice; an alarm goes on',
    '  npm start -- --stall 60               stop the mapping for a minute, and see who notices',
    `  ${file}   the pipeline; docs/PIPELINES.md says what it can do`,
    '  docs/DEPLOY.md   to an AWS account · docs/ARCHITECTURE.md   how it works',
  ];
}
