import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './sources.ts';

/** A flight of the data set with the fewest columns. */
interface Flight {
  readonly delay: number;
  readonly distance: number;
}

/** A flight with its route. */
export interface RouteFlight extends Flight {
  readonly origin: string;
  readonly destination: string;
}

/** 200,000 flights: delay in minutes (negative, zero, positive) and distance in miles. */
export function readFlights(): readonly Flight[] {
  return readJson('flights-200k.json') as readonly Flight[];
}

/** 20,000 flights between some 200 airports. */
export function readRoutes(): readonly RouteFlight[] {
  return readJson('flights-20k.json') as readonly RouteFlight[];
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(path.join(ROOT, 'node_modules/vega-datasets/data', name), 'utf8'));
}
