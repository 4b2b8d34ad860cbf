import { setTimeout as delay } from 'node:timers/promises';
import { AlarmBook } from '../../cloudwatch/alarm-book.ts';
import { parseEmf } from '../../cloudwatch/emf.ts';
import type { Datum } from '../../cloudwatch/metric.ts';
import { MetricStore } from '../../cloudwatch/metric-store.ts';
import type { AlarmNotification } from '../../cloudwatch/notification.ts';
import type { LocalClients } from '../clients.ts';
import type { MappingDriver, MappingObserver } from '../mapping-driver.ts';
import type { SentRequest } from '../producer.ts';
import { computeStack, computeTemplate, type Deployment } from '../stacks.ts';
import { AlarmHistory } from './alarm-history.ts';
import { AlarmStates } from './alarm-states.ts';
import { type Observed, readObserved } from './deployed.ts';
import { LogReader } from './log-reader.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type ServiceNames, serviceMetrics, unitsOf } from './service-metrics.ts';
import { subscribeWebhooks } from './webhooks.ts';

/** What the bridge connects. */
export interface BridgeOptions {
  readonly clients: LocalClients;
  readonly deployment: Deployment;
  readonly pipeline: string;
  /** Where the synthesised templates are. */
  readonly directory: string;
  /** Seconds of CloudWatch's time in one second, 1 to 60. */
  readonly speed: number;
  /** Called with each notification as it arrives. */
  readonly onNotification: (notification: AlarmNotification) => void;
}

/** Between two looks, and between two reads of the logs; milliseconds. */
const TICK_MS = 250;
const LOGS_MS = 500;

/** Data of a period is waited for so long before it is judged: logs come late. Milliseconds. */
const SETTLE_MS = 1_500;

/** How long alarms that are on may take to clear at the end of a run, in evaluations and milliseconds. */
const CLEAR_STEPS = 12;
const CLEAR_MS_MAX = 60_000;

/**
 * What CloudWatch does in AWS and the emulator doesn't: metrics from log lines and of the services, and
 * alarms that are judged by the rules and arrive.
 *
 * Boundary: the rules are src/cloudwatch; which alarms there are is the synthesised template's. The
 * emulator's own evaluation must not run, as it ignores dimensions, missing data and M of N: no metric is put
 * into it, only states.
 *
 * Invariants
 * 1. One pass at a time: logs, then alarms, then what they tell.
 * 2. A period is judged when it is over and its data had time to arrive.
 */
export class CloudWatchBridge {
  readonly store = new MetricStore();
  readonly history = new AlarmHistory();
  readonly observed: Observed;
  readonly #options: BridgeOptions;
  readonly #names: ServiceNames;
  readonly #metrics: ReturnType<typeof serviceMetrics>;
  readonly #logs: LogReader;
  readonly #book: AlarmBook;
  readonly #states: AlarmStates;
  readonly #stop = new AbortController();
  #receiver: Receiver | undefined;
  #driver: MappingDriver | undefined;
  #loop: Promise<void> = Promise.resolve();
  #fault: unknown;
  #startedMs = 0;

  private constructor(
    options: BridgeOptions,
    { observed, states }: { readonly observed: Observed; readonly states: AlarmStates },
  ) {
    const { deployment, clients, speed } = options;
    this.#options = options;
    this.observed = observed;
    this.#states = states;
    const { streamName, consumerName: functionName, mappingId } = deployment;
    this.#names = { streamName, functionName, mappingId };
    this.#metrics = serviceMetrics(this.#names);
    this.#book = new AlarmBook({
      alarms: observed.alarms,
      store: this.store,
      speed,
      states: states.known,
    });
    this.#logs = new LogReader({
      client: clients.logs,
      groups: observed.logGroups,
      sinceMs: Date.now(),
      onLine: (group, line, atMs) => {
        this.#add([
          ...parseEmf(line),
          ...unitsOf(line, atMs),
          ...this.#metrics.logged(group, line, atMs),
        ]);
      },
    });
  }

  /** Reads what is deployed and subscribes to its alarms. */
  static async open(options: BridgeOptions): Promise<CloudWatchBridge> {
    const { clients, pipeline, directory, deployment } = options;
    const observed = await readObserved({
      client: clients.cloudFormation,
      stackName: computeStack(pipeline),
      templateFile: computeTemplate({ directory, pipeline }),
    });
    const states = await AlarmStates.open(clients, observed);
    const bridge = new CloudWatchBridge(options, { observed, states });
    bridge.#receiver = await startReceiver({
      client: clients.sns,
      topicArn: deployment.alarmTopic,
      onNotification: (notification) => bridge.#notified(notification),
    });
    await subscribeWebhooks(clients.sns, deployment.alarmTopic, observed.webhooks);
    return bridge;
  }

  /** For the driver of a mapping: the consumer's, or the one that is named. */
  observer(names: Partial<ServiceNames> = {}): MappingObserver {
    const metrics = serviceMetrics({ ...this.#names, ...names });
    return {
      called: (call) => this.#add(metrics.called(call)),
      gaveUp: (records) => this.#add(metrics.gaveUp(records, Date.now())),
    };
  }

  /** For the producer. */
  sent({ records, bytes, refused }: SentRequest): void {
    this.#add(this.#metrics.put(records, bytes, refused, Date.now()));
  }

  /** Begins to judge; the driver tells how old unread records are. */
  start(driver: MappingDriver): void {
    this.#driver = driver;
    this.#startedMs = Date.now();
    this.#loop = this.#run().catch((error) => {
      this.#fault ??= error;
    });
  }

  /** @throws what stopped it */
  check(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Milliseconds that a minute of CloudWatch takes here. */
  get minuteMs(): number {
    return this.#book.stepMs;
  }

  /** State of an alarm, for the page. */
  stateOf(alarm: string) {
    return { state: this.#book.stateOf(alarm), last: this.#book.lastOf(alarm) };
  }

  /** Waits until the alarms that are on have cleared, or for as long as that should take. */
  async cleared(signal: AbortSignal): Promise<void> {
    const endMs = Date.now() + Math.min(CLEAR_MS_MAX, CLEAR_STEPS * this.minuteMs + SETTLE_MS);
    const isBusy = () => this.history.on().length > 0 || this.#book.isWaiting;
    while (this.history.all().length > 0 && isBusy() && Date.now() < endMs) {
      this.check();
      await delay(TICK_MS, undefined, { signal });
    }
    // The notification of the last one is still under way.
    if (this.history.all().length > 0) await delay(2 * TICK_MS, undefined, { signal });
  }

  /** Stops judging and listening. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#receiver?.close();
  }

  async #run(): Promise<void> {
    let readMs = 0;
    while (!this.#stop.signal.aborted) {
      const nowMs = Date.now();
      if (this.#driver?.isPaused === false) {
        this.#add(this.#metrics.polled(this.#driver.progress().lagMs, nowMs));
      }
      if (nowMs - readMs >= LOGS_MS) {
        readMs = nowMs;
        await this.#logs.read();
        await this.#judge(nowMs - SETTLE_MS);
      }
      await delay(TICK_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #judge(untilMs: number): Promise<void> {
    // Before the first minute is over nothing was measured, which is no sign of anything.
    if (untilMs < this.#startedMs + this.minuteMs) return;
    const { transitions, actions } = this.#book.step(untilMs);
    for (const transition of transitions) {
      this.history.changed(transition);
      await this.#states.set(transition);
    }
    for (const action of actions) await this.#states.act(action);
  }

  #notified(notification: AlarmNotification): void {
    const topic = this.#options.deployment.alarmTopic.split(':').at(-1) ?? '';
    this.#add(this.#metrics.notified(topic, Date.now()));
    this.history.notified(notification);
    this.#options.onNotification(notification);
  }

  #add(data: readonly Datum[]): void {
    for (const datum of data) this.store.add(datum);
  }
}
