/** The public entry: what a pipeline file imports as `#millrace`. */
export type { Accumulator, Encoded } from './accumulator.ts';
export type { Bucket } from './accumulators/histogram.ts';
export type { TopEntry } from './accumulators/top-k.ts';
export type { Duration } from './duration.ts';
export { defineFeed, type Feed, type FeedContext, type FeedOptions } from './feed.ts';
export type { ColumnDefinition, Columns } from './pipeline/column-types.ts';
export { definePipeline } from './pipeline/define.ts';
export type {
  AnyPipeline,
  Chain,
  ClosingOptions,
  EventOptions,
  Objectives,
  Pipeline,
  PipelineOptions,
  Retention,
  Scope,
  WindowDefinition,
  Windows,
} from './pipeline/types.ts';
export { type Reference, type ReferenceOptions, reference } from './reference.ts';
