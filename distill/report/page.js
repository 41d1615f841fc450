// Draws a report from the JSON in #data (distill/report/page_data.cpp) with Chart.js. Text from a run reaches the page as
// text alone, never as HTML. In the data a share lies in [0, 1], and null is what is not known.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const runs = data.runs;

// ---- words and numbers

const none = '–';
const known = value => value !== null && value !== undefined && !Number.isNaN(value);
const thousands = new Intl.NumberFormat('en');
const count = value => known(value) ? thousands.format(Math.round(value)) : none;
const percent = (value, digits = 1) => known(value) ? `${(100 * value).toFixed(digits)}\u00a0%` : none;
/** Without needless zeros. */
const shortPercent = value => `${Number((100 * value).toFixed(1))}\u00a0%`;
const digits = (value, n = 4) => known(value) ? String(Number(value.toPrecision(n))) : none;
const seconds = value => known(value) ? value.toFixed(value < 10 ? 2 : 1) : none;
/** The metric of a run: accuracy as a percentage, an error as it is. */
const metric = (run, value) => run.metric === 'accuracy' ? percent(value, 2) : digits(value);
/** The number that metric() writes, so that runs of different metrics are in the order one reads. */
const metricNumber = (run, value) => known(value) && run.metric === 'accuracy' ? 100 * value : value;
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
const capital = word => word.charAt(0).toUpperCase() + word.slice(1);
const className = (run, c) => run.classes[c] ?? `class ${c}`;
const methodOf = run => run.options.command === 'teach' ? 'teach' : run.options.method;

// ---- elements

/** An element with attributes and children; strings become text. */
function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (known(value)) e.setAttribute(name, value);
  e.append(...children.filter(known));
  return e;
}

const paragraph = (text, attributes) => element('p', attributes, text);
const section = id => document.getElementById(id);

/**
 * A table that sorts by a click on a heading. A column: {head, of: row => value, show: (value, row) => text, text: left
 * aligned, wide: may break lines}; the first names the row.
 */
function table(caption, columns, rows, {tall = false} = {}) {
  const body = element('tbody');
  const cell = (row, column, first) => {
    const value = column.of(row);
    const shown = column.show ? column.show(value, row) : known(value) ? String(value) : none;
    const kind = [column.text && 'text', column.wide && 'wide'].filter(Boolean).join(' ') || null;
    return element(first ? 'th' : 'td', {scope: first ? 'row' : null, class: kind}, shown);
  };
  const fill = order => body.replaceChildren(
      ...order.map(row => element('tr', {}, ...columns.map((column, i) => cell(row, column, i === 0)))));
  const compare = (a, b) => {
    if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : 0;
    return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', {numeric: true});
  };
  const heads = columns.map((column, i) => {
    const button = element('button', {type: 'button'}, column.head);
    const head = element('th', {scope: 'col', 'aria-sort': 'none', class: column.text || i === 0 ? 'text' : null}, button);
    button.addEventListener('click', () => {
      // A name is first wanted from A to Z, a number from the highest.
      const was = head.getAttribute('aria-sort');
      const up = was === 'none' ? Boolean(column.text || i === 0) : was === 'descending';
      for (const other of heads) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const unknownLast = (a, b) => known(column.of(a)) && known(column.of(b)) && !up ? -1 : 1;
      fill([...rows].sort((a, b) => unknownLast(a, b) * compare(column.of(a), column.of(b))));
    });
    return head;
  });
  fill(rows);
  return element('div', {class: tall ? 'scroll tall' : 'scroll', role: 'region', 'aria-label': caption, tabindex: 0},
      element('table', {}, element('caption', {}, caption), element('thead', {}, element('tr', {}, ...heads)), body));
}

// ---- looks: a group of runs (a method's seeds) has a colour, a dash and a mark

const dashes = [[], [7, 3], [2, 2], [9, 3, 2, 3]];
/** Another one when the colours begin again. */
const dashOf = i => dashes[(i + Math.floor(i / 8)) % dashes.length];
const marks = ['circle', 'triangle', 'rect', 'rectRot', 'crossRot', 'star', 'cross'];
const groups = [...new Set(runs.map(run => run.group))];
let theme;

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  theme = {ink: colour('--ink'), line: colour('--line'), colours: Array.from({length: 8}, (_, i) => colour(`--colour-${i}`))};
  Chart.defaults.color = theme.ink;
  Chart.defaults.borderColor = theme.line;
}

/** What number `i` of a plot's curves looks like; its colour is given by paint(), for the theme may change. */
const look = i => ({look: i, borderDash: dashOf(i), pointStyle: marks[i % marks.length], borderWidth: 2});

function paint(datasets) {
  for (const set of datasets.filter(set => !set.frontier)) {
    const colour = theme.colours[set.look % theme.colours.length];
    Object.assign(set, {borderColor: colour, backgroundColor: colour, pointBackgroundColor: colour, pointBorderColor: colour});
  }
  return datasets;
}

const lookOfRun = run => look(groups.indexOf(run.group));

// ---- plots

const charts = new Set();
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = 'system-ui, sans-serif';
Chart.defaults.plugins.legend.display = false;

/** Writes each point's name beside it where there is room for it. */
const pointNames = {
  id: 'pointNames',
  afterDatasetsDraw(chart) {
    const {ctx, chartArea: area} = chart;
    const taken = [];
    ctx.save();
    ctx.font = `12px ${Chart.defaults.font.family}`;
    ctx.textBaseline = 'middle';
    ctx.fillStyle = theme.ink;
    const points = chart.data.datasets.flatMap((set, i) => chart.isDatasetVisible(i) ? chart.getDatasetMeta(i).data : []);
    for (const p of points) taken.push({x: p.x - 5, y: p.y - 5, w: 10, h: 10});
    chart.data.datasets.forEach((set, i) => {
      if (set.frontier || !chart.isDatasetVisible(i)) return;
      const p = chart.getDatasetMeta(i).data[0], w = ctx.measureText(set.label).width, h = 13;
      const free = [[9, -7], [-w - 9, -7], [-w / 2, -21], [-w / 2, 8]]
          .map(([dx, dy]) => ({x: p.x + dx, y: p.y + dy, w, h}))
          .find(box => box.x >= area.left && box.x + w <= area.right && box.y >= area.top && box.y + h <= area.bottom &&
              taken.every(t => box.x > t.x + t.w || box.x + w < t.x || box.y > t.y + t.h || box.y + h < t.y));
      if (!free) return;
      taken.push(free);
      ctx.fillText(set.label, free.x, free.y + h / 2);
    });
    ctx.restore();
  }
};

/** The numbers of a plot as a table, made when it is opened. */
function numbersOf(chart, title, x, y) {
  const details = element('details', {}, element('summary', {}, `Numbers of “${title}”`));
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    const rows = chart.data.datasets.filter(set => !set.frontier).flatMap(set => set.data.map((point, i) => typeof point === 'object' ?
        {name: set.label, x: point.x, y: point.y} : {name: set.label, x: chart.data.labels[i], y: point}));
    details.append(table(title, [
      {head: 'curve', of: row => row.name, text: true},
      {head: x.title, of: row => row.x, show: x.show && (value => x.show(value))},
      {head: y.title, of: row => row.y, show: value => known(value) ? y.show(value) : none}], rows, {tall: true}));
  });
  return details;
}

/**
 * A figure with a heading, a plot and its numbers. An axis: {title, show: value => text, scale: options of Chart.js}.
 * `alt` says in words what the plot shows.
 */
function plot(parent, {title, alt, caption, type = 'line', labels, datasets, x, y, legend = false, plugins = []}) {
  const canvas = element('canvas', {role: 'img', 'aria-label': alt});
  const figure = element('figure', {}, element('h3', {}, title), element('div', {class: 'plot'}, canvas),
      caption ? element('figcaption', {}, caption) : null);
  parent.append(figure);
  // Of what is in its options when a chart is made Chart.js keeps the value: only a function follows the theme.
  const ink = () => theme.ink, line = () => theme.line;
  const axis = (of, more) => ({title: {display: true, text: of.title, color: ink}, ...more, ...of.scale,
                               grid: {color: line, borderColor: line},
                               ticks: {color: ink, ...(of.show ? {callback: value => of.show(value)} : {}), ...of.scale?.ticks}});
  const chart = new Chart(canvas, {
    type, data: {labels, datasets: paint(datasets)}, plugins,
    options: {
      parsing: type === 'bar' ? undefined : false, normalized: true,  // points are as Chart.js wants them, and in order
      interaction: {mode: type === 'bar' ? 'index' : 'nearest', intersect: false},
      scales: {x: axis(x, type === 'bar' ? {} : {type: 'linear'}), y: axis(y, {})},
      plugins: {
        legend: {display: legend, position: 'bottom', labels: {usePointStyle: type !== 'bar', boxWidth: 14, boxHeight: type === 'bar' ? 10 : 7}},
        tooltip: {filter: item => !item.dataset.frontier, callbacks: {
          title: items => type === 'bar' ? `${x.title}: ${items[0].label}` : items[0].dataset.label,
          label: item => type === 'bar' ? `${item.dataset.label}: ${y.show(item.raw)}` :
              `${x.title} ${x.show ? x.show(item.parsed.x) : item.parsed.x}: ${y.show(item.parsed.y)}`
        }}
      }
    }
  });
  charts.add(chart);
  figure.append(numbersOf(chart, title, x, y));
  return chart;
}

/** A curve by epoch; `values` may have gaps. */
function curve(name, epochs, values, style) {
  const points = epochs.map((epoch, i) => ({x: epoch, y: values[i] ?? NaN}));
  return {label: name, data: points, ...style, pointRadius: points.length > 20 ? 0 : 2.5, pointHoverRadius: 5, pointHitRadius: 8};
}

const epochAxis = {title: 'epoch', scale: {ticks: {precision: 0}}};
const percentAxis = (title, scale = {}) => ({title, show: value => `${Number((100 * value).toFixed(2))} %`, scale});

// ---- the legend, once in each section that shows all runs; what is switched off is so everywhere

const hidden = new Set();
const legendButtons = [];

function applyHidden() {
  for (const [button, group] of legendButtons) button.setAttribute('aria-pressed', String(!hidden.has(group)));
  for (const chart of charts) {
    const sets = chart.data.datasets;
    if (!sets.some(set => set.group !== undefined)) continue;
    sets.forEach((set, i) => chart.setDatasetVisibility(i, !hidden.has(set.group)));
    chart.update();
  }
}

function sample(i) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  const put = (e, attributes) => Object.entries(attributes).forEach(([name, value]) => e.setAttribute(name, value));
  put(svg, {width: 28, height: 10, 'aria-hidden': 'true'});
  put(line, {x1: 0, x2: 28, y1: 5, y2: 5, stroke: `var(--colour-${i % 8})`, 'stroke-width': 3,
             'stroke-dasharray': dashOf(i).join(' ')});
  svg.append(line);
  return svg;
}

function legend(shown) {
  const list = element('ul', {class: 'legend', 'aria-label': 'Runs shown in the plots'});
  groups.forEach((group, i) => {
    const members = shown.filter(run => run.group === group);
    if (members.length === 0) return;
    const button = element('button', {type: 'button', 'aria-pressed': 'true'}, sample(i),
        members.length > 1 ? `${group} (${members.length})` : group);
    button.addEventListener('click', () => {
      if (!hidden.delete(group)) hidden.add(group);
      applyHidden();
    });
    legendButtons.push([button, group]);
    list.append(element('li', {}, button));
  });
  return list;
}

// ---- sections

function showSummary() {
  const sets = [...new Set(runs.map(run => run.options.data.split(':')[0]))];
  document.title = `Retort report: ${runs.length === 1 ? runs[0].name : `${runs.length} runs`} on ${sets.join(', ')}`;
  section('summary').textContent = `${plural(runs.length, 'run')} on ${sets.join(', ')}. Written by retort ${data.retort} ` +
      `(${data.revision}); the page is complete in itself and asks nothing of a network.`;
}

function showMissing(parent) {
  for (const {name, what} of data.missing) {
    parent.append(element('h3', {}, name), element('ul', {}, ...what.map(line => element('li', {}, line))));
  }
  return data.missing.length > 0;
}

function showResults(parent) {
  parent.append(table('What each run reached', [
    {head: 'run', of: run => run.name},
    {head: 'last epoch', of: run => metricNumber(run, run.last), show: (_, run) => metric(run, run.last)},
    {head: 'best (epoch)', of: run => metricNumber(run, run.best),
     show: (value, run) => known(value) ? `${metric(run, run.best)} (${run.best_epoch})` : none},
    {head: 'its teacher', of: run => metricNumber(run, run.teacher_metric),
     show: (_, run) => metric(run, run.teacher_metric)},
    {head: 'method', of: methodOf, text: true},
    {head: 'network', of: run => run.options.net, text: true},
    {head: 'regulation', of: run => run.options.regulation, text: true},
    {head: 'learning rate', of: run => run.options.lr},
    {head: 'epochs', of: run => run.epochs_done,
     show: (done, run) => run.finished ? digits(done) : `${digits(done)} of ${digits(run.options.epochs)}`},
    {head: 'distinct samples', of: run => run.ledger?.distinct_samples, show: count},
    {head: 'seconds', of: run => run.seconds?.total, show: seconds}
  ], runs));
  return true;
}

/** The tables of `retort reproduce`: means over seeds, paired differences, and what has to be said with them. */
function showComparison(parent) {
  for (const found of data.tables) {
    const mean = row => row.finished > 0 ? row.last_mean : null;
    const error = (value, spread, row) => !known(value) ? (row.runs > 0 ? 'failed' : 'to do') :
        value.toFixed(2) + (row.finished > 1 && known(spread) ? ` ± ${spread.toFixed(2)}` : '');
    const unit = {accuracy: ', %', angle: ', degrees'}[found.metric ?? 'accuracy'] ?? '';
    parent.append(table(String(found.title ?? found.recipe), [
      {head: 'networks', of: row => `${row.teacher} → ${row.student}`, text: true},
      {head: 'method', of: row => String(row.label ?? row.method), text: true},
      {head: 'learning rate', of: row => row.lr, show: value => digits(value)},
      {head: 'finished', of: row => row.finished, show: (value, row) => `${count(value)} of ${count(row.runs)}`},
      {head: `last${unit}`, of: mean, show: (value, row) => error(value, row.last_deviation, row)},
      {head: `best${unit}`, of: row => row.finished > 0 ? row.best_mean : null, show: (value, row) => error(value, row.best_deviation, row)},
      {head: `published${unit}`, of: row => row.published, show: value => known(value) ? value.toFixed(2) : none},
      {head: 'distinct samples', of: row => row.distinct_samples, show: count},
      {head: 'forwards', of: row => row.forwards_share, show: value => percent(value)},
      {head: 'backwards', of: row => row.backwards_share, show: value => percent(value)},
      {head: 'teacher forwards', of: row => row.teacher_forwards > 0 ? row.teacher_forwards_share : null, show: value => known(value) ? percent(value) : none},
      {head: 'GFLOP', of: row => row.gflop, show: count},
      {head: 'seconds', of: row => row.seconds, show: seconds}
    ], found.rows));
    const lines = [...found.paired_differences ?? [], ...found.problems ?? [], ...found.notes ?? []].map(String);
    parent.append(element('ul', {}, ...lines.map(line => element('li', {}, line.trim()))));
  }
  return data.tables.length > 0;
}

/** Through the points that no run of the same network matches for less, a line a network where there are two or more. */
function frontierLines(points, cost) {
  return [...new Set(points.map(point => runs[point.run].options.net))].flatMap(net => {
    const best = points.filter(point => runs[point.run].options.net === net && point.best_of.includes(cost))
        .sort((a, b) => a[cost] - b[cost]);
    return best.length < 2 ? [] : [{type: 'line', frontier: true, label: net, data: best.map(p => ({x: p[cost], y: p.value})),
                                    borderColor: () => theme.line, borderWidth: 3, pointRadius: 0, pointHitRadius: 0, order: 1}];
  });
}

function showFrontier(parent) {
  const figures = element('div', {class: 'figures three'});
  parent.append(legend(runs.filter((run, i) => data.frontier.some(point => point.run === i))), figures);
  let drawn = false;
  const costs = [['distinct', 'distinct samples', percentAxis('share of the training samples used', {beginAtZero: true})],
                 ['backward', 'samples backwarded', percentAxis('share of conventional training', {beginAtZero: true})],
                 ['seconds', 'seconds', {title: 'seconds on the machine of the run', show: digits, scale: {beginAtZero: true}}]];
  for (const name of new Set(runs.map(run => run.metric))) {
    const y = name === 'accuracy' ? percentAxis('test accuracy, last epoch', {grace: '8%'}) : {title: `test ${name}, last epoch`, show: digits};
    for (const [key, words, x] of costs) {
      const points = data.frontier.filter(point => point.metric === name && known(point[key]) && known(point.value));
      if (points.length === 0) continue;
      drawn = true;
      plot(figures, {
        title: `${capital(name)} against ${words}`, type: 'scatter', x, y, plugins: [pointNames],
        alt: `Scatter plot, one point a run, of ${name} against ${words}. ` + points.map(p =>
            `${p.name}: ${y.show(p.value)} at ${x.show(p[key])}`).join('; '),
        datasets: points.map(point => {
          const run = runs[point.run];
          return {label: point.name, group: run.group, ...lookOfRun(run), data: [{x: point[key], y: point.value}],
                  pointRadius: 6, pointHoverRadius: 8};
        }).concat(frontierLines(points, key))
      });
    }
  }
  return drawn;
}

/** The lowest and highest of what the runs show after a third of their epochs, with a margin. */
function lateRange(datasets) {
  const late = datasets.flatMap(set => set.data.slice(Math.floor(set.data.length / 3)).map(point => point.y)).filter(known);
  const low = Math.min(...late), high = Math.max(...late), margin = (high - low || Math.abs(high) || 1) * 0.06;
  return {min: low - margin, max: high + margin};
}

function showCurves(parent) {
  const shown = runs.filter(run => run.curves.epoch.length > 0);
  if (shown.length === 0) return false;
  const figures = element('div', {class: 'figures'});
  const box = element('input', {type: 'checkbox', id: 'late'});
  parent.append(legend(shown), element('p', {class: 'control'}, box, ' ', element('label', {for: 'late'},
      'Fit the vertical axes to what comes after the first third of the epochs')), figures);
  if (data.curve_step > 1) parent.append(paragraph(`Every ${data.curve_step}th epoch is drawn.`, {class: 'note'}));
  const drawn = [];
  for (const name of new Set(shown.map(run => run.metric))) {
    const some = shown.filter(run => run.metric === name);
    for (const [key, words] of [['test_metric', `Test ${name}`], ['test_loss', 'Test loss'], ['train_metric', `Training ${name}`],
                                ['train_loss', 'Training loss']]) {
      const isMetric = key.endsWith('metric');
      const y = isMetric && name === 'accuracy' ? percentAxis(name) : {title: isMetric ? name : 'loss', show: digits};
      const datasets = some.map(run => ({...curve(run.name, run.curves.epoch, run.curves[key], lookOfRun(run)), group: run.group}));
      drawn.push(plot(figures, {
        title: words, datasets, x: epochAxis, y,
        alt: `Line plot of ${words.toLowerCase()} by epoch. After the last epoch: ` +
            some.map(run => `${run.name} ${known(run.curves[key].at(-1)) ? y.show(run.curves[key].at(-1)) : 'not finite'}`).join('; ')
      }));
    }
  }
  box.addEventListener('change', () => {
    for (const chart of drawn) {
      const {min, max} = box.checked ? lateRange(chart.data.datasets) : {};
      Object.assign(chart.options.scales.y, {min, max});
      chart.update();
    }
  });
  return true;
}

/** Of each run, the share of the samples that participated in at least so many of its epochs. */
function plotCounts(figures, counted) {
  const curves = counted.map(run => {
    const {epochs, samples, histogram} = run.significance;
    let left = samples;
    const shares = histogram.samples.map(n => (left -= n) + n).map(n => n / samples);
    return curve(run.name, shares.map((_, i) => Math.min(1, i * histogram.width / Math.max(1, epochs))), shares, lookOfRun(run));
  });
  plot(figures, {
    title: 'Samples by how often they participated', x: percentAxis('at least this share of the epochs', {min: 0, max: 1}),
    y: percentAxis('share of the samples', {beginAtZero: true}),
    alt: 'Line plot of the share of samples that participated in at least a share of the epochs. In one epoch or more: ' +
        counted.map(run => `${run.name} ${percent(1 - run.significance.never / run.significance.samples)}`).join('; '),
    datasets: curves.map((one, i) => ({...one, group: counted[i].group}))
  });
}

function showParticipation(parent) {
  const shown = runs.filter(run => run.options.regulation !== 'off' && run.curves.epoch.length > 0);
  const counted = runs.filter(run => run.significance);
  const figures = element('div', {class: 'figures'});
  parent.append(legend(runs.filter(run => shown.includes(run) || counted.includes(run))), figures);
  if (shown.length > 0) {
    plot(figures, {
      title: 'Share of samples participating', x: epochAxis, y: percentAxis('participating', {beginAtZero: true}),
      alt: 'Line plot of the share of samples that enter the backward pass by epoch. In the last epoch: ' +
          shown.map(run => `${run.name} ${percent(run.curves.participation.at(-1))}`).join('; '),
      datasets: shown.map(run => ({...curve(run.name, run.curves.epoch, run.curves.participation, lookOfRun(run)), group: run.group}))
    });
  }
  if (counted.length > 0) {
    plotCounts(figures, counted);
    const share = key => run => run.significance[key] / run.significance.samples;
    parent.append(table('Significance: how often the training samples participated', [
      {head: 'run', of: run => run.name},
      {head: 'epochs', of: run => run.significance.epochs, show: count},
      {head: 'samples', of: run => run.significance.samples, show: count},
      {head: 'mean', of: run => run.significance.mean, show: value => digits(value, 3)},
      {head: 'never', of: share('never'), show: value => percent(value)},
      {head: 'in every epoch', of: share('always'), show: value => percent(value)},
      {head: 'samples in use', of: run => run.samples_in_use, show: count}
    ], counted));
    if (counted.some(run => run.samples_in_use < run.significance.samples)) {
      parent.append(paragraph('Where fewer samples are in use than there are, the others count as never.', {class: 'note'}));
    }
  }
  return shown.length + counted.length > 0;
}

function barLabels({width, samples}) {
  return samples.map((_, i) => width === 1 ? String(i) : `${i * width} to ${(i + 1) * width - 1}`);
}

function plotClasses(figures, run) {
  const {epoch, share} = run.by_class;
  const mean = values => values.reduce((sum, value) => sum + (value ?? 0), 0) / values.length;
  const ranked = share.map((_, c) => c).sort((a, b) => mean(share[b]) - mean(share[a]));
  const some = ranked.length > 10 ? [...ranked.slice(0, 4), ...ranked.slice(-4)] : ranked;
  const thin = data.class_step > 1 ? ` Every ${data.class_step}th epoch is drawn.` : '';
  plot(figures, {
    title: 'Share of samples participating, by class', x: epochAxis, y: percentAxis('participating', {beginAtZero: true}), legend: true,
    caption: (some.length < ranked.length ? `The 4 classes that participate most and the 4 that do least, of ${ranked.length}.`
                                          : 'Classes in the order of their mean share.') + thin,
    alt: 'Line plot of the share of each class that participates by epoch. Means over the epochs: ' +
        some.map(c => `${className(run, c)} ${percent(mean(share[c]))}`).join('; '),
    datasets: some.map((c, i) => curve(className(run, c), epoch, share[c], look(i)))
  });
}

function plotHistogram(figures, run) {
  const {histogram, samples, epochs} = run.significance;
  plot(figures, {
    title: 'Histogram of significance', type: 'bar', labels: barLabels(histogram),
    x: {title: 'times a sample participated'}, y: {title: 'samples', show: count},
    alt: `Bar chart of ${count(samples)} training samples by how often they participated in ${plural(epochs, 'epoch')}: ` +
        `${count(run.significance.never)} never, ${count(run.significance.always)} in every one`,
    caption: `${count(run.significance.never)} of ${count(samples)} samples never participated, ` +
        `${count(run.significance.always)} did in every one of ${plural(epochs, 'epoch')}.`,
    datasets: [{label: 'samples', data: histogram.samples, ...look(0), borderWidth: 0}]
  });
}

const thirds = ['easy third (difficulty below 1/3)', 'middle third', 'hard third (difficulty from 2/3)'];

function plotDifficulty(figures, run) {
  const found = run.difficulty.thirds, most = found[0].histogram;
  const share = third => third.histogram.samples.map(n => third.samples > 0 ? n / third.samples : 0);
  plot(figures, {
    title: 'Significance by known difficulty', type: 'bar', labels: barLabels(most), legend: true,
    x: {title: 'times a sample participated'}, y: percentAxis('share of the third'),
    alt: 'Bar chart of how often samples participated, for the easy, the middle and the hard third by their known difficulty. Means: ' +
        found.map((third, i) => `${thirds[i]} ${digits(third.mean, 3)}`).join('; '),
    caption: `Rank correlation (Spearman) of significance and difficulty: ${digits(run.difficulty.rank_correlation, 2)}.`,
    datasets: found.map((third, i) => ({label: thirds[i], data: share(third), ...look([0, 3, 1][i]), borderWidth: 0, pointStyle: 'rect'}))
  });
}

function difficultyTable(run) {
  return table('Significance by known difficulty', [
    {head: 'samples by difficulty', of: row => row.name},
    {head: 'samples', of: row => row.samples, show: count},
    {head: 'mean significance', of: row => row.mean, show: value => digits(value, 3)},
    {head: 'mean share of epochs', of: row => row.mean / Math.max(1, run.significance.epochs), show: value => percent(value)},
    {head: 'never participated', of: row => row.never / Math.max(1, row.samples), show: value => percent(value)}
  ], run.difficulty.thirds.map((third, i) => ({...third, name: thirds[i]})));
}

function gallery(parent, run, which, title) {
  const entries = run.gallery[which] ?? [], epochs = run.significance.epochs, classified = run.metric === 'accuracy';
  if (entries.length === 0) return;
  const last = entries.at(-1).count, ties = run.gallery.ties[which];
  parent.append(element('h3', {}, title));
  if (entries.filter(entry => entry.count === last).length < ties) {
    parent.append(paragraph(`${plural(ties, 'sample')} have the count ${count(last)}. Those shown are evenly spaced in the data set.`,
        {class: 'note'}));
  }
  parent.append(element('ul', {class: 'gallery'}, ...entries.map(entry => {
    const label = className(run, entry.label);
    const predicted = known(entry.prediction) ? className(run, entry.prediction) : 'not known';
    const mistaken = known(entry.prediction) && entry.prediction !== entry.label;
    const image = element('img', {src: data.pictures[entry.picture], width: 72, height: 72,
        alt: `Training image ${entry.index}: ` + (classified ? `label ${label}, prediction ${predicted}, ` : '') +
            `participated ${entry.count} of ${epochs} times`});
    return element('li', {}, element('figure', {}, image, element('figcaption', {},
        ...classified ? [element('div', {}, `label ${label}`),
                         element('div', {class: mistaken ? 'mistaken' : null},
                                 `${mistaken ? '≠ ' : ''}predicted ${predicted}`)] : [],
        element('div', {}, `${entry.count} of ${epochs} · #${entry.index}`))));
  })));
}

/** Images as they are and as the module changes them, with what both networks say. */
function augmentedGallery(parent, run) {
  const entries = run.augmented;
  parent.append(element('h3', {}, 'Originals and what the module makes of them'), paragraph('Under each image the probability that ' +
      'teacher and student give to its label. Four images have the same operations; half of the draws leave an image as it is.', {class: 'note'}));
  const picture = (entry, which) => element('li', {}, element('figure', {}, element('img', {src: data.pictures[entry.pictures[which]], width: 72, height: 72,
      alt: `Training image ${entry.index}, label ${className(run, entry.label)}, ${which ? `after ${entry.operations}` : 'as it is'}`}),
    element('figcaption', {}, element('div', {}, which ? 'augmented' : `label ${className(run, entry.label)}`),
        element('div', {}, `teacher ${percent(entry.teacher[which])}`), element('div', {}, `student ${percent(entry.student[which])}`))));
  for (const operations of new Set(entries.map(entry => entry.operations))) {
    const some = entries.filter(entry => entry.operations === operations);
    parent.append(paragraph(capital(operations)), element('ul', {class: 'gallery'}, ...some.flatMap(entry => [picture(entry, 0), picture(entry, 1)])));
  }
}

function confusionMatrix(run) {
  const {matrix, samples} = run.confusion, names = matrix.map((_, c) => className(run, c));
  const worst = Math.max(1, ...matrix.flatMap((row, i) => row.filter((_, j) => j !== i)));
  const caption = `Confusion matrix of ${count(samples)} test samples: a row is a label, a column a prediction.`;
  const body = matrix.map((row, i) => {
    const all = Math.max(1, row.reduce((sum, n) => sum + n, 0));
    const cells = row.map((n, j) => {
      const cell = element('td', {class: n === 0 ? 'none' : null, title: `${names[i]} predicted as ${names[j]}: ${n} of ${all}`}, String(n));
      const strength = i === j ? 0.5 * n / all : 0.6 * Math.sqrt(n / worst);
      if (n > 0) cell.style.backgroundColor = `rgba(var(${i === j ? '--right' : '--wrong'}), ${strength.toFixed(3)})`;
      return cell;
    });
    return element('tr', {}, element('th', {scope: 'row'}, names[i]), ...cells, element('td', {}, percent(row[i] / all)));
  });
  const heads = ['label', ...names, 'right'].map(name => element('th', {scope: 'col'}, name));
  return element('div', {class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0},
      element('table', {class: 'matrix'}, element('caption', {}, caption), element('thead', {}, element('tr', {}, ...heads)),
          element('tbody', {}, ...body)));
}

function confusionLists(parent, run) {
  const {commonest, recall, samples, classes} = run.confusion;
  parent.append(
      table(`The commonest confusions among ${count(samples)} test samples of ${plural(classes, 'class').replace('classs', 'classes')}`, [
        {head: 'label', of: row => className(run, row[0])},
        {head: 'prediction', of: row => className(run, row[1]), text: true},
        {head: 'samples', of: row => row[2], show: count}], commonest),
      table('Share of each class that is predicted rightly', [
        {head: 'class', of: row => className(run, row[0])},
        {head: 'right', of: row => row[1], show: value => percent(value)},
        {head: 'samples', of: row => row[2], show: count}], [...recall].sort((a, b) => a[1] - b[1]), {tall: true}));
}

/** Of a regression: how large errors are where the network predicts a deviation. */
function plotCalibration(figures, run) {
  const {bins, error_correlation: withError, difficulty_correlation: withDifficulty} = run.calibration;
  const line = (name, of, style) => ({label: name, data: bins.map(bin => ({x: bin[1], y: of(bin)})), ...style, pointRadius: 4, pointHitRadius: 8});
  plot(figures, {
    title: 'Calibration', legend: true, x: {title: 'predicted deviation', show: digits}, y: {title: 'observed error (root mean square)', show: digits},
    alt: 'Line plot of the observed against the predicted error, a point for each tenth of the test samples: ' +
        bins.map(bin => `${digits(bin[1], 3)} predicted, ${digits(bin[2], 3)} observed`).join('; '),
    caption: `A calibrated network is on the diagonal. Rank correlation of predicted deviation and error: ${digits(withError, 2)}` +
        (known(withDifficulty) ? `; and known difficulty: ${digits(withDifficulty, 2)}.` : '.'),
    datasets: [line('this run', bin => bin[2], look(0)), line('calibrated', bin => bin[1], {...look(1), borderDash: [2, 2]})]
  });
}

/** What a TST module learned, epoch by epoch of its phases. */
function plotPhases(figures, run) {
  const {operations, phase, chances, strengths} = run.phases, epochs = phase.map((_, i) => i + 1);
  const begins = phase.map((p, i) => i === 0 || p !== phase[i - 1] ? i + 1 : 0).filter(Boolean);
  const x = {title: 'epoch of the module', scale: {ticks: {precision: 0}}};
  const fromTo = values => values.map(value => digits(value)).join(' to ');  // map gives an index besides
  const compared = run.phases.compared.filter(({teacher}) => teacher.length === 2).map(({phase, teacher, student}) =>
    `Phase ${phase}, by the same draws before and after: teacher ${fromTo(teacher)}, student ${fromTo(student)}.`);
  if (begins.length > 1) compared.unshift(`Phases begin with epochs ${begins.join(', ')}; in between the student learns.`);
  const caption = compared.join(' ') || null;
  const last = (names, values, show) => names.map((name, i) => `${name} ${show(values[i].at(-1))}`).join('; ');
  const of = ['teacher', 'student'], losses = of.map(who => run.phases[`${who}_loss`]);
  plot(figures, {
    title: 'Losses on augmented images while the module learns', legend: true, x, y: {title: 'cross-entropy', show: digits}, caption,
    alt: `Line plot of the teacher's and the student's loss on augmented images. At the end: ${last(of, losses, digits)}`,
    datasets: of.map((who, i) => curve(who, epochs, losses[i], look(i)))
  });
  for (const [title, axis, values, words] of [
    ['Strengths', 'strength', strengths, 'the learned strength of each operation, of its largest'],
    ['Chances', 'chance', chances, 'the chance of each operation that its draw is nearer to 1 than to 0']]) {
    const names = operations.slice(0, values.length);
    plot(figures, {
      title: `${title} that the module learned`, legend: true, x, y: percentAxis(axis),
      caption: `${capital(words)}.`, alt: `Line plot of ${words}. At the end: ${last(names, values, value => percent(value))}`,
      datasets: names.map((name, i) => curve(name, epochs, values[i], look(i)))
    });
  }
}

function fillRun(parent, run) {
  for (const chart of [...charts]) {
    if (!parent.contains(chart.canvas)) continue;
    charts.delete(chart);
    chart.destroy();
  }
  parent.replaceChildren(paragraph(run.folder, {class: 'note'}));
  const figures = element('div', {class: 'figures'});
  parent.append(figures);
  if (run.by_class) plotClasses(figures, run);
  if (run.significance) plotHistogram(figures, run);
  if (run.calibration) plotCalibration(figures, run);
  if (run.phases) plotPhases(figures, run);
  if (run.difficulty) {
    plotDifficulty(figures, run);
    parent.append(difficultyTable(run));
  }
  if (run.augmented) augmentedGallery(parent, run);
  if (run.gallery) {
    gallery(parent, run, 'most', 'The most significant training images');
    gallery(parent, run, 'least', 'The least significant training images');
    if (run.metric === 'accuracy') {
      parent.append(paragraph('Predictions are those of the last checkpoint, computed in fp32 on the image as it is, ' +
          'without augmentation.', {class: 'note'}));
    }
  }
  if (data.pictures_left_out > 0 && (run.significance || run.phases)) {
    parent.append(paragraph(`Of all runs' galleries, ${plural(data.pictures_left_out, 'picture')} more were left out to ` +
        'keep the page small.', {class: 'note'}));
  }
  if (run.confusion) {
    parent.append(element('h3', {}, 'Confusion'));
    if (run.confusion.matrix) parent.append(confusionMatrix(run));
    else confusionLists(parent, run);
  }
  if (run.options.regulation === 'off') parent.append(paragraph('This run was not regulated: all its samples participate in every epoch.'));
  for (const {name, what} of data.missing) {
    if (name === run.name) parent.append(element('ul', {}, ...what.map(line => element('li', {}, line))));
  }
}

function showRun(parent) {
  const chooser = element('select', {id: 'chooser'}, ...runs.map((run, i) => element('option', {value: i}, run.name)));
  const printed = element('span', {class: 'chosen'}), content = element('div');
  parent.append(element('p', {}, element('label', {for: 'chooser'}, 'Run: '), chooser, printed), content);
  const choose = () => {
    const run = runs[chooser.value];
    printed.textContent = run.name;
    fillRun(content, run);
  };
  chooser.addEventListener('change', choose);
  const best = runs.findIndex(run => run.gallery);
  chooser.value = best >= 0 ? best : Math.max(0, runs.findIndex(run => run.significance));
  choose();
  return true;
}

function showLedger(parent) {
  const shown = runs.filter(run => run.ledger);
  const shared = (key, whole) => ({
    of: run => run.ledger[key],
    show: (value, run) => {
      const all = run.conventional?.[whole];
      return value > 0 && known(all) ? `${count(value)} (${shortPercent(value / all)})` : count(value);
    }
  });
  if (shown.length === 0) return false;
  parent.append(
      paragraph('Samples as papers count them, and time as a clock does. 100 % is conventional training: every training sample of the ' +
          'data set in each epoch of the longest run here of the same network on the same data; for distinct samples, every sample once. ' +
          'In a run of “teach” the network in training is the teacher. Seconds are those of data, compute and evaluation.'),
      table('What each run has spent', [
        {head: 'run', of: run => run.name},
        {head: 'distinct samples', ...shared('distinct_samples', 'samples')},
        {head: 'student forward', ...shared('student_forward', 'backwards')},
        {head: 'student backward', ...shared('student_backward', 'backwards')},
        {head: 'teacher forward', ...shared('teacher_forward', 'backwards')},
        {head: 'teacher backward', ...shared('teacher_backward', 'backwards')},
        {head: 'GFLOP', of: run => run.ledger.flops / 1e9, show: count},
        {head: 'seconds', of: run => run.seconds.total, show: seconds},
        {head: 'data', of: run => run.seconds.data, show: seconds},
        {head: 'compute', of: run => run.seconds.compute, show: seconds},
        {head: 'evaluation', of: run => run.seconds.evaluation, show: seconds}
      ], shown));
  return true;
}

/** {"gpu": {"name": x}} as {"gpu name": x}. */
function flat(object, prefix = '') {
  return Object.entries(object).reduce((all, [key, value]) => value !== null && typeof value === 'object' && !Array.isArray(value) ?
      {...all, ...flat(value, `${prefix}${key} `)} : {...all, [prefix + key]: value}, {});
}

/** What the runs share as one list, and what they differ in as a table with a row a run. */
function settings(parent, words, of) {
  const all = runs.map(run => flat(of(run)));
  const text = value => !known(value) ? none : Array.isArray(value) ? `[${value.join(', ')}]` : value === '' ? '""' : String(value);
  const keys = [...new Set(all.flatMap(Object.keys))];
  const differ = keys.filter(key => all.some(one => text(one[key]) !== text(all[0][key])));
  const same = keys.filter(key => !differ.includes(key));
  if (differ.length > 0) {
    parent.append(table(`${words} in which the runs differ`, [
      {head: 'run', of: i => runs[i].name},
      ...differ.map(key => ({head: key, of: i => all[i][key], show: text, text: typeof all[0][key] !== 'number', wide: text(all[0][key]).length > 24}))
    ], runs.map((_, i) => i)));
  }
  if (same.length === 0) return;
  const listing = table(runs.length > 1 ? `${words} that all runs share` : words, [
    {head: 'name', of: key => key},
    {head: 'value', of: key => all[0][key], show: text, text: true, wide: true}
  ], same);
  parent.append(element('details', {'data-print': '', open: runs.length === 1 ? '' : null}, element('summary', {},
      runs.length > 1 ? `${words} that all runs share (${same.length})` : `${words} (${same.length})`), listing));
}

function showConfiguration(parent) {
  settings(parent, 'Options', run => run.options);
  settings(parent, 'Environment', run => run.environment);
  return true;
}

function showFiles(parent) {
  const rows = runs.flatMap(run => run.files.map(([name, bytes, crc32]) => ({run: run.name, name, bytes, crc32})));
  if (rows.length === 0) return false;
  parent.append(paragraph('The data set’s checksum is in the environment, as “data”.'),
      element('details', {'data-print': ''}, element('summary', {}, plural(rows.length, 'file')), table('Files of the runs, when this page was written', [
        {head: 'run', of: row => row.run},
        {head: 'file', of: row => row.name, text: true},
        {head: 'bytes', of: row => row.bytes, show: count},
        {head: 'CRC-32', of: row => row.crc32, text: true}], rows, {tall: true})));
  return true;
}

/** Fills a section and lists it in the contents, or removes it where there is nothing to show. */
function show(id, fill) {
  const place = section(id);
  if (!fill(place)) return place.remove();
  section('contents').append(element('li', {}, element('a', {href: `#${id}`}, place.querySelector('h2').textContent)));
}

function redraw() {
  readTheme();
  for (const chart of charts) {
    paint(chart.data.datasets);
    chart.update();
  }
}

// On paper everything is light and sharp, and what all runs share is shown.
function forPrint(begins) {
  document.documentElement.classList.toggle('printing', begins);
  for (const details of document.querySelectorAll('details[data-print]')) {
    if (begins) details.dataset.print = details.open ? 'open' : '';
    details.open = begins || details.dataset.print === 'open';
  }
  for (const chart of charts) {
    chart.options.devicePixelRatio = begins ? 3 : undefined;
    if (begins) chart.resize(400, 240);  // a column's width, so that letters are as large as those of the text
    else chart.resize();
  }
  redraw();
}

readTheme();
showSummary();
show('missing', showMissing);
show('results', showResults);
show('comparison', showComparison);
show('frontier', showFrontier);
show('curves', showCurves);
show('participation', showParticipation);
show('run', showRun);
show('ledger', showLedger);
show('configuration', showConfiguration);
show('files', showFiles);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
addEventListener('beforeprint', () => forPrint(true));
addEventListener('afterprint', () => forPrint(false));
document.documentElement.dataset.drawn = 'yes';
