/**
 * What AWS leaves open about an event source mapping, each choice by its name, so that the simulation can
 * vary it by its seed. What AWS documents is no policy: it stands in the engine, with its page.
 *
 * Where a source is given as "observed", the behaviour was seen by people who replay captures of real
 * mappings; it is evidence, not a contract.
 */
export interface MappingPolicies {
  /**
   * How the pause between two tries of a batch grows: not at all, or by doubling up to `backOffMaxMs`. Not
   * documented; both were observed. Default `exponential`.
   */
  readonly backOff: 'flat' | 'exponential';
  /** The first pause after a failure, and each one when flat; whole ms, at least 1; default 1,000. */
  readonly backOffFirstMs: number;
  /** The longest pause, whole ms, not below the first; default 60,000. */
  readonly backOffMaxMs: number;
  /**
   * Seed of the hash that spreads partition keys over a shard's lanes, a whole number from 0 to 2^32 - 1.
   * Documented is only that a key keeps its order. Default 16, which
   * spreads the first partitions, `p-0` to `p-3`, over two to four lanes: what lanes can do then happens.
   * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
   */
  readonly laneHash: number;
  /** Batches a lane that are read ahead of the function, 1 to 100; not documented. Default 4. */
  readonly readAheadBatches: number;
  /**
   * What a reported sequence number that is of no record of the batch does: the whole batch comes again, or
   * the records from it on do, as if it were there. Not documented; the first was observed, and is the default.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
   */
  readonly unknownIdentifier: 'whole-batch' | 'as-checkpoint';
  /**
   * What a list does that holds valid identifiers and malformed ones: the whole batch comes again, or only the
   * valid ones count. Documented is only that a malformed one fails the batch; default `whole-batch`.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
   */
  readonly mixedIdentifiers: 'whole-batch' | 'valid-only';
  /**
   * True: what is left after a partial response is a batch with tries of its own. False: the try counts for
   * what is left. Not documented; the first was observed, and is the default.
   */
  readonly partialProgressResetsAttempts: boolean;
  /**
   * True: a failed batch is halved before its tries are looked at, so that it is halved even where no retry is
   * allowed. False: without retries it is given up whole. Documented is that halving spends no retry; the
   * first was observed, and is the default.
   * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
   */
  readonly bisectBeforeAttempts: boolean;
  /**
   * True: an answer that acknowledges no record, such as one that names the first, halves the batch as an
   * error does. False: the batch comes again whole. Documented is that a partial response cuts at the number
   * it names, which cuts nothing here; the first was observed, and is the default.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
   */
  readonly bisectWithoutProgress: boolean;
  /**
   * How long after its creation a mapping that starts at LATEST takes effect, whole ms; records that arrive
   * before are never read. Documented are "several minutes"; default 0.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
   */
  readonly latestDelayMs: number;
  /**
   * True: batches of a lane that are given up one right after the other for the same reason share a failure
   * document, which then waits for what is behind them. That documents can be consolidated is all that is said;
   * default false.
   * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
   */
  readonly consolidatedDiscards: boolean;
}

/** What a local run does, and the simulation's engine unless told otherwise. */
export const DEFAULT_POLICIES: MappingPolicies = {
  backOff: 'exponential',
  backOffFirstMs: 1_000,
  backOffMaxMs: 60_000,
  laneHash: 16,
  readAheadBatches: 4,
  unknownIdentifier: 'whole-batch',
  mixedIdentifiers: 'whole-batch',
  partialProgressResetsAttempts: true,
  bisectBeforeAttempts: true,
  bisectWithoutProgress: true,
  latestDelayMs: 0,
  consolidatedDiscards: false,
};

/**
 * Draws every policy.
 *
 * @param next a number from 0 to below 1; called the same number of times whatever it answers
 */
export function policiesFromRandom(next: () => number): MappingPolicies {
  const oneOf = <Value>(first: Value, second: Value): Value => (next() < 0.5 ? first : second);
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const backOffFirstMs = whole(200, 2_000);
  return {
    backOff: oneOf('flat', 'exponential'),
    backOffFirstMs,
    backOffMaxMs: whole(backOffFirstMs, 120_000),
    laneHash: whole(0, 2 ** 32 - 1),
    readAheadBatches: whole(1, 8),
    unknownIdentifier: oneOf('whole-batch', 'as-checkpoint'),
    mixedIdentifiers: oneOf('whole-batch', 'valid-only'),
    partialProgressResetsAttempts: oneOf(true, false),
    bisectBeforeAttempts: oneOf(true, false),
    bisectWithoutProgress: oneOf(true, false),
    latestDelayMs: whole(0, 300_000),
    consolidatedDiscards: oneOf(true, false),
  };
}
