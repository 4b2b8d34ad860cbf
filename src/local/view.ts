import { Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from 'listr2';
import { createLogUpdate } from 'log-update';
import { type RunStatus, renderStatus, statusLine } from './status.ts';

/** One step of the set-up. */
export interface Step {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** How a run shows what it does, on stderr. */
export interface RunView {
  steps(steps: readonly Step[]): Promise<void>;
  status(status: RunStatus): void;
  /** Shows something that happened and leaves it standing. */
  notice(text: string): void;
  /** Leaves the last status standing. */
  done(): void;
}

/** Between two plain lines, milliseconds. */
const PLAIN_MS = 2_000;

/** Live in a terminal, lines elsewhere, nothing when quiet. */
export function makeView(quiet: boolean): RunView {
  if (quiet) return quietView;
  return process.stderr.isTTY ? terminalView() : plainView();
}

/** Runs the steps and shows nothing. */
export const quietView: RunView = {
  steps: async (steps) => {
    for (const { run } of steps) await run();
  },
  status: () => undefined,
  notice: () => undefined,
  done: () => undefined,
};

function terminalView(): RunView {
  const update = createLogUpdate(process.stderr);
  return {
    steps: (steps) => runSteps(steps, 'default'),
    status: (status) => update(`\n${renderStatus(status)}\n`),
    notice: (text) => update.persist(text),
    done: () => update.done(),
  };
}

function plainView(): RunView {
  let last: RunStatus | undefined;
  let shownMs = 0;
  const show = (status: RunStatus) => process.stderr.write(`${statusLine(status)}\n`);
  return {
    steps: (steps) => runSteps(steps, 'simple'),
    status: (status) => {
      last = status;
      if (Date.now() - shownMs < PLAIN_MS) return;
      shownMs = Date.now();
      show(status);
    },
    notice: (text) => process.stderr.write(`${text}\n`),
    done: () => {
      if (last !== undefined) show(last);
    },
  };
}

async function runSteps(steps: readonly Step[], renderer: 'default' | 'simple'): Promise<void> {
  const tasks = steps.map(({ title, run }) => ({ title, task: run }));
  const logger = new ListrLogger({
    useIcons: true,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  await new Listr(tasks, {
    renderer,
    rendererOptions: { timer: PRESET_TIMER, logger },
    // Its own listener would end this process at Ctrl-C, and leave running what was started.
    registerSignalListeners: false,
  }).run();
}
