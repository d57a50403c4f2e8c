// SPDX-License-Identifier: Apache-2.0
// Draws each <figure class="chart"> from the JSON inside it. Without this script the page shows the
// same numbers as tables.
(() => {
  'use strict';
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const seriesColour = (i) => colour(`--c${i % 8}`);
  const charts = [];

  // Two datasets that are not drawn themselves bound the band of a line's deviation.
  const bandOf = (series, i) => [-1, 1].map((side) => ({
    band: true, own: i, data: series.points.map(([x, y], k) => ({x, y: y + side * series.deviation[k]})),
    pointRadius: 0, pointHitRadius: 0, borderWidth: 0, fill: side > 0 ? '-1' : false,
  }));

  const lineSets = (series, i, few) => {
    const line = {
      label: series.name, own: i, data: series.points.map(([x, y]) => ({x, y})), borderWidth: 2,
      pointRadius: few && !series.dashed ? 3 : 0, pointHitRadius: 8, clip: 6,
      borderDash: series.dashed ? [6, 4] : [],
    };
    return series.deviation ? [...bandOf(series, i), line] : [line];
  };

  const scatterSet = (series, i) => ({
    label: series.name, own: i, data: series.points.map(([x, y]) => ({x, y})), showLine: false,
    pointRadius: series.points.length > 200 ? 2 : 3,
    pointStyle: ['circle', 'triangle', 'rect', 'rectRot'][i % 4],
  });

  const dotSet = (series, i) => ({
    label: series.name, own: i, showLine: false, pointRadius: 5, pointHoverRadius: 6,
    pointStyle: ['circle', 'triangle', 'rect', 'rectRot'][i % 4],
    data: series.points.map(([category, value]) => ({x: value, y: category})),
  });

  const barSets = (series, i) => {
    const spread = (series.deviation || []).map((d, k) => {
      const value = series.points[k][1];
      return d > 0 ? [value - d, value + d] : null;
    });
    const bars = {
      label: series.name, own: i, order: 2, barPercentage: 0.7, grouped: false,
      data: series.points.map(([, value]) => value),
    };
    const whiskers = {
      whisker: true, own: i, order: 1, barThickness: 3, grouped: false, data: spread,
    };
    return spread.some((pair) => pair) ? [bars, whiskers] : [bars];
  };

  const datasetsOf = (spec) => spec.series.flatMap((series, number) => {
    const i = series.colour ?? number;
    if (spec.kind === 'bar') return barSets(series, i);
    if (spec.kind === 'dots') return [dotSet(series, i)];
    if (spec.kind === 'scatter') return [scatterSet(series, i)];
    return lineSets(series, i, series.points.length <= 12);
  });

  const paint = (chart) => {
    const ink = colour('--soft');
    for (const set of chart.data.datasets) {
      const own = seriesColour(set.own);
      set.borderColor = set.whisker ? colour('--ink') : own;
      set.backgroundColor = set.whisker ? colour('--ink') : set.band ? own + '33' : own;
    }
    for (const scale of Object.values(chart.options.scales)) {
      scale.grid.color = colour('--rule');
      scale.ticks.color = ink;
      scale.title.color = ink;
    }
    chart.options.plugins.legend.labels.color = ink;
  };

  const axis = (name, more = {}) => ({
    grid: {}, ticks: {maxRotation: 0, autoSkipPadding: 12}, title: {display: !!name, text: name}, ...more,
  });

  // Ticks that fall between the numbers of the series would be misread on a logarithmic axis.
  const logAxis = (spec) => {
    const values = [...new Set(spec.series.flatMap((s) => s.points.map(([x]) => x)))].sort((a, b) => a - b);
    return axis(spec.x, {
      type: 'logarithmic', min: values[0], max: values[values.length - 1],
      ticks: {maxRotation: 0, autoSkipPadding: 12, callback: (value) => String(value)},
      afterBuildTicks: (scale) => { scale.ticks = values.map((value) => ({value})); },
    });
  };

  // Half of a phone's width is too little for a long name on one line.
  const categoryTicks = (spec) => ({
    autoSkip: false,
    callback(value) {
      const name = spec.categories[value] ?? '';
      if (this.chart.width > 560 || name.length < 20) return name;
      const middle = name.length / 2;
      const breaks = [...name.matchAll(/[ /+-]/g)].map((found) => found.index + 1);
      breaks.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
      return breaks.length ? [name.slice(0, breaks[0]).trim(), name.slice(breaks[0])] : name;
    },
  });

  const scalesOf = (spec) => {
    if (spec.kind === 'bar') {
      return {x: axis(spec.x, {beginAtZero: true}), y: axis('', {ticks: categoryTicks(spec)})};
    }
    if (spec.kind === 'dots') {
      const ticks = categoryTicks(spec);
      return {x: axis(spec.x, {type: 'linear'}), y: axis('', {
        type: 'linear', reverse: true, min: -0.5, max: spec.categories.length - 0.5, ticks,
        afterBuildTicks: (scale) => { scale.ticks = spec.categories.map((_, value) => ({value})); },
      })};
    }
    return {x: spec.logX ? logAxis(spec) : axis(spec.x, {type: 'linear'}), y: axis(spec.y)};
  };

  const hasSymbols = (spec) => spec.kind === 'scatter' || spec.kind === 'dots';

  const configOf = (spec) => ({
    type: spec.kind === 'bar' ? 'bar' : 'line',
    data: {labels: spec.kind === 'bar' ? spec.categories : undefined, datasets: datasetsOf(spec)},
    options: {
      animation: false, maintainAspectRatio: false, indexAxis: spec.kind === 'bar' ? 'y' : 'x',
      interaction: {mode: 'nearest', intersect: spec.kind === 'scatter'},
      scales: scalesOf(spec),
      plugins: {
        legend: {
          display: spec.kind !== 'bar', position: 'bottom',
          labels: {
            filter: (item, data) => !data.datasets[item.datasetIndex].band, usePointStyle: hasSymbols(spec),
            boxWidth: hasSymbols(spec) ? 8 : 18, boxHeight: hasSymbols(spec) ? 8 : 2,
          },
        },
        tooltip: {filter: (item) => !item.dataset.band && !item.dataset.whisker},
      },
    },
  });

  root.classList.add('drawn');
  for (const figure of document.querySelectorAll('figure.chart')) {
    const spec = JSON.parse(figure.querySelector('script').textContent);
    const config = configOf(spec);
    // Painted before it is drawn, not drawn twice.
    paint(config);
    charts.push(new Chart(figure.querySelector('canvas'), config));
    const numbers = figure.querySelector('details.numbers');
    if (numbers) numbers.open = false;
  }
  const repaint = () => charts.forEach((chart) => { paint(chart); chart.update(); });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
  root.dataset.charts = String(charts.length);
})();
