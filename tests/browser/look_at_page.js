// Evaluated in a report's page by check_page: what is wrong with it, a sentence each. Changes nothing that it leaves changed.
(() => {
  const wrong = [];
  const rgb = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
  const root = getComputedStyle(document.documentElement);
  const colours = Array.from({length: 8}, (_, i) => root.getPropertyValue(`--colour-${i}`).trim())
      .map(rgb);
  const ink = rgb(root.getPropertyValue('--ink').trim());
  if (document.documentElement.dataset.drawn !== 'yes') wrong.push('the script did not come to its end');

  const canvases = [...document.querySelectorAll('canvas')];
  if (canvases.length === 0) wrong.push('there is no plot');
  for (const canvas of canvases) {
    const name = canvas.closest('figure').querySelector('h3').textContent;
    const chart = Chart.getChart(canvas);
    if (!canvas.getAttribute('aria-label') || canvas.getAttribute('role') !== 'img') wrong.push(`${name}: no words for who cannot see it`);
    if (!chart) { wrong.push(`${name}: nothing was drawn`); continue; }
    const box = canvas.getBoundingClientRect();
    if (box.width < 150 || box.height < 100) wrong.push(`${name}: only ${box.width} x ${box.height} pixels`);
    // Axes alone are no plot: inside of them there have to be pixels in the colour of a curve, a bar or a point.
    const {left, top, width, height} = chart.chartArea, scale = chart.currentDevicePixelRatio;
    const copy = new OffscreenCanvas(width * scale, height * scale).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, -left * scale, -top * scale);
    const pixels = copy.getImageData(0, 0, width * scale, height * scale).data;
    let painted = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      if (pixels[i + 3] > 200 && colours.some(c => c.every((v, k) => Math.abs(v - pixels[i + k]) < 12))) ++painted;
    }
    if (painted < 8) wrong.push(`${name}: axes without anything in them (${painted} pixels)`);
    // Without the ends of the grid's lines.
    const beside = copy.canvas.getContext('2d');
    beside.reset();
    beside.drawImage(canvas, 0, 0);
    const margin = beside.getImageData(0, 0, Math.max(1, Math.min(left - 10, width) * scale), height * scale).data;
    let written = 0;
    for (let i = 0; i < margin.length; i += 4) {
      if (margin[i + 3] > 150 && ink.every((v, k) => Math.abs(v - margin[i + k]) < 40)) ++written;
    }
    if (written < 20) wrong.push(`${name}: no numbers beside its axis (${written} pixels)`);
  }

  for (const table of document.querySelectorAll('table')) {
    const caption = table.caption?.textContent ?? '';
    if (!caption) wrong.push('a table without a caption');
    if (table.querySelectorAll('tbody tr').length === 0) wrong.push(`table '${caption}': no rows`);
    if (table.querySelectorAll('thead th[scope=col]').length !== table.querySelectorAll('thead th').length ||
        table.querySelectorAll('tbody th[scope=row]').length !== table.querySelectorAll('tbody tr').length) {
      wrong.push(`table '${caption}': headings without a scope`);
    }
  }
  for (const image of document.images) {
    if (!image.alt) wrong.push('a picture without words');
    if (!image.complete || image.naturalWidth === 0) wrong.push(`a picture that does not load: ${image.alt}`);
  }

  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
    const now = Number(heading.tagName[1]);
    if (!heading.textContent.trim()) wrong.push('an empty heading');
    if (now > level + 1) wrong.push(`heading '${heading.textContent}' is of level ${now} below level ${level}`);
    level = now;
  }
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  if (!document.documentElement.lang) wrong.push('no language');
  for (const link of document.querySelectorAll('nav a')) {
    if (!document.querySelector(link.getAttribute('href'))) wrong.push(`'${link.textContent}' leads nowhere`);
  }
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id that stands twice');
  for (const field of document.querySelectorAll('select, input')) {
    if (field.labels.length === 0) wrong.push(`a field without a label: ${field.id}`);
  }
  for (const e of document.querySelectorAll('script[src], link[rel=stylesheet], iframe, object, embed')) wrong.push(`a ${e.tagName} from elsewhere`);

  const text = document.body.innerText.match(/.{0,30}(\bundefined\b|\bNaN\b|\[object |\bInfinity\b).{0,30}/);
  if (text) wrong.push(`the page says '${text[0]}'`);
  const overflow = document.documentElement.scrollWidth - innerWidth;
  if (overflow > 0) wrong.push(`wider than the window by ${overflow} pixels`);
  return wrong;
})()
