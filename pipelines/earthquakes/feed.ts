import { defineFeed } from '#millrace';

interface Row {
  id: string;
  properties: { time: number };
  geometry: object;
}

/** The earthquakes of one week, as the USGS publishes them (GeoJSON). */
export default defineFeed<Row>({
  file: '../../node_modules/vega-datasets/data/earthquakes.json',
  rows: 'features',
  time: (row) => row.properties.time,
  id: (row) => row.id,
  data: ({ properties, geometry }, { timeMs }) => ({
    properties: { ...properties, time: timeMs },
    geometry,
  }),
});
