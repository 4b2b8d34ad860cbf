import { DefinitionError } from '../core/errors.ts';
import type { Alarm, AlarmState, CompositeAlarm, MetricAlarm } from './alarm.ts';
import { alarmReason, alarmState, evaluationRange } from './alarm-evaluation.ts';
import { alarmsOf, isFulfilled } from './composite-rule.ts';
import type { MetricStore } from './metric-store.ts';
import { runQueries } from './query.ts';
import { Suppression } from './suppression.ts';

/** What a book of alarms is made with. */
export interface AlarmBookOptions {
  readonly alarms: readonly Alarm[];
  readonly store: Pick<MetricStore, 'series'>;
  /** How many seconds of CloudWatch's time pass in one second; 1 or more. */
  readonly speed: number;
  /** States that alarms have already, by name; the others start without data. */
  readonly states?: ReadonlyMap<string, AlarmState>;
}

/** An alarm that came to another state. */
export interface Transition {
  readonly alarm: Alarm;
  readonly from: AlarmState;
  readonly to: AlarmState;
  /** In the words of CloudWatch. */
  readonly reason: string;
  readonly atMs: number;
  /** Of a composite alarm: the alarms that its state comes from. */
  readonly children: readonly string[];
}

/** What one evaluation came to. */
export interface AlarmStep {
  readonly transitions: readonly Transition[];
  /** Transitions whose actions are due now: some have waited for a suppressor. */
  readonly actions: readonly Transition[];
}

/** CloudWatch evaluates an alarm each minute ("Evaluating an alarm"). */
const MINUTE_MS = 60_000;

/**
 * The alarms of a deployment with their states.
 *
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html: at the end of each minute,
 * over the periods that end with it, however long they are.
 *
 * Invariants
 * 1. An alarm stands behind all alarms that its rule or suppressor names: one pass is enough.
 * 2. A minute is evaluated once; minutes follow each other.
 */
export class AlarmBook {
  readonly #options: AlarmBookOptions;
  readonly #alarms: readonly Alarm[];
  readonly #states = new Map<string, AlarmState>();
  readonly #last = new Map<string, Transition>();
  readonly #suppressions = new Map<string, Suppression>();
  #evaluatedMs: number | undefined;

  constructor(options: AlarmBookOptions) {
    this.#options = options;
    this.#alarms = inOrder(options.alarms);
    for (const alarm of this.#alarms) {
      this.#states.set(alarm.name, options.states?.get(alarm.name) ?? 'INSUFFICIENT_DATA');
      if (alarm.type === 'metric' || alarm.suppressor === undefined) continue;
      const { waitSeconds, extensionSeconds } = alarm.suppressor;
      const periods = {
        wait: this.#scaled(waitSeconds),
        extension: this.#scaled(extensionSeconds),
      };
      this.#suppressions.set(alarm.name, new Suppression(periods));
    }
  }

  /** Milliseconds between two evaluations. */
  get stepMs(): number {
    return MINUTE_MS / this.#options.speed;
  }

  /** State of an alarm; undefined for a name that is none of its alarms. */
  stateOf(name: string): AlarmState | undefined {
    return this.#states.get(name);
  }

  /** True while actions of a composite alarm wait for its suppressor. */
  get isWaiting(): boolean {
    return [...this.#suppressions.values()].some(({ isWaiting }) => isWaiting);
  }

  /** The last transition of an alarm. */
  lastOf(name: string): Transition | undefined {
    return this.#last.get(name);
  }

  /** Evaluates each minute that has ended by now and was not evaluated yet. */
  step(nowMs: number): AlarmStep {
    const lastMs = Math.floor(nowMs / this.stepMs) * this.stepMs;
    const firstMs = this.#evaluatedMs === undefined ? lastMs : this.#evaluatedMs + this.stepMs;
    const steps: AlarmStep[] = [];
    for (let atMs = firstMs; atMs <= lastMs + this.stepMs / 2; atMs += this.stepMs) {
      steps.push(this.#evaluate(atMs));
      this.#evaluatedMs = atMs;
    }
    return {
      transitions: steps.flatMap(({ transitions }) => transitions),
      actions: steps.flatMap(({ actions }) => actions),
    };
  }

  #evaluate(atMs: number): AlarmStep {
    const transitions: Transition[] = [];
    const actions: Transition[] = [];
    for (const alarm of this.#alarms) {
      const transition = this.#transition(alarm, atMs);
      if (transition !== undefined) {
        transitions.push(transition);
        this.#states.set(alarm.name, transition.to);
        this.#last.set(alarm.name, transition);
      }
      const due = this.#dueAction(alarm, transition, atMs);
      if (due !== undefined) actions.push(due);
    }
    return { transitions, actions };
  }

  #transition(alarm: Alarm, atMs: number): Transition | undefined {
    const from = this.#states.get(alarm.name) ?? 'INSUFFICIENT_DATA';
    const found =
      alarm.type === 'metric' ? this.#ofMetric(alarm, from, atMs) : this.#ofRule(alarm, atMs);
    return found.to === from ? undefined : { alarm, from, atMs, ...found };
  }

  #ofMetric(alarm: MetricAlarm, from: AlarmState, atMs: number) {
    const lengthMs = this.#scaled(alarm.periodSeconds);
    const count = evaluationRange(alarm);
    const periods = { endMs: atMs, lengthMs, count };
    const { store } = this.#options;
    const results = runQueries(alarm.queries, {
      store,
      periods,
      periodSeconds: alarm.periodSeconds,
    });
    const points = results.get(alarm.watches) ?? [];
    const to = alarmState(points, alarm, from);
    const periodEndsMs = points.map((_, index) => atMs - (count - 1 - index) * lengthMs);
    return { to, reason: alarmReason(points, alarm, { state: to, periodEndsMs }), children: [] };
  }

  #ofRule(alarm: CompositeAlarm, atMs: number) {
    const isOn = isFulfilled(alarm.rule, (name) => this.#states.get(name));
    const to: AlarmState = isOn ? 'ALARM' : 'OK';
    const children = alarmsOf(alarm.rule).filter((name) => this.#states.get(name) === to);
    const newest = children
      .map((name) => this.#last.get(name))
      .filter((one) => one !== undefined)
      .sort((left, right) => right.atMs - left.atMs)[0];
    const what = newest?.alarm.name ?? alarm.name;
    const when = new Date(newest?.atMs ?? atMs).toUTCString();
    return { to, reason: `${what} transitioned to ${to} at ${when}`, children };
  }

  #dueAction(
    alarm: Alarm,
    transition: Transition | undefined,
    atMs: number,
  ): Transition | undefined {
    const suppression = this.#suppressions.get(alarm.name);
    if (alarm.type === 'metric' || alarm.suppressor === undefined || suppression === undefined) {
      return transition;
    }
    suppression.suppressor(this.#states.get(alarm.suppressor.alarm) === 'ALARM', atMs);
    if (transition !== undefined) suppression.changed(atMs);
    return suppression.takesActions(atMs) ? this.#last.get(alarm.name) : undefined;
  }

  #scaled(seconds: number): number {
    return (seconds * 1000) / this.#options.speed;
  }
}

/** Alarms behind those that they name. */
function inOrder(alarms: readonly Alarm[]): readonly Alarm[] {
  const byName = new Map(alarms.map((alarm) => [alarm.name, alarm]));
  const ordered = new Set<Alarm>();
  const visit = (alarm: Alarm, path: readonly string[]): void => {
    if (path.includes(alarm.name)) {
      throw new DefinitionError('alarms', [...path, alarm.name], 'rules without a circle');
    }
    for (const name of namedBy(alarm)) {
      const child = byName.get(name);
      if (child === undefined) {
        throw new DefinitionError(`rule of ${alarm.name}`, name, 'an alarm of the deployment');
      }
      visit(child, [...path, alarm.name]);
    }
    ordered.add(alarm);
  };
  for (const alarm of alarms) visit(alarm, []);
  return [...ordered];
}

function namedBy(alarm: Alarm): readonly string[] {
  if (alarm.type === 'metric') return [];
  const { rule, suppressor } = alarm;
  return [...alarmsOf(rule), ...(suppressor === undefined ? [] : [suppressor.alarm])];
}
