// Evaluated in a report's page by check_page: clicks what can be clicked. What does not do what it should, a sentence each.
(async () => {
  const wrong = [];
  const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const number = text => { const n = parseFloat(text.replace(/[,\s]/g, '')); return Number.isNaN(n) ? null : n; };

  for (const details of document.querySelectorAll('details')) details.open = true;
  await frame();
  let sorted = 0;
  for (const table of document.querySelectorAll('table')) {
    const heads = [...table.querySelectorAll('thead th')];
    const rows = table.querySelectorAll('tbody tr').length;
    heads.forEach((head, column) => {
      const button = head.querySelector('button');
      if (!button) return;
      const cells = () => [...table.querySelectorAll('tbody tr')].map(row => row.children[column].textContent);
      const numeric = cells().every(text => text === '–' || /^[-\d.,]+( %|\b|$)/.test(text) && number(text) !== null);
      for (let click = 0; click < 2; ++click) {
        button.click();
        const up = head.getAttribute('aria-sort') === 'ascending';
        const values = cells().map(number).filter(value => value !== null);
        const ordered = values.every((value, i) => i === 0 || (up ? values[i - 1] <= value : values[i - 1] >= value));
        if (head.getAttribute('aria-sort') === 'none') wrong.push(`table '${table.caption.textContent}': a click on '${button.textContent}' does not sort`);
        if (numeric && !ordered) wrong.push(`table '${table.caption.textContent}': not in order by '${button.textContent}'`);
      }
      if (cells().length !== rows) wrong.push(`table '${table.caption.textContent}': rows got lost`);
      ++sorted;
    });
  }
  if (sorted === 0) wrong.push('no table can be sorted');

  for (const button of document.querySelectorAll('.legend button')) {
    const visible = () => [...document.querySelectorAll('canvas')].map(c => Chart.getChart(c).getSortedVisibleDatasetMetas().length).join();
    const before = visible();
    button.click();
    if (visible() === before) wrong.push(`legend: '${button.textContent}' switches nothing off`);
    button.click();
    if (visible() !== before) wrong.push(`legend: '${button.textContent}' does not switch back`);
  }
  for (const details of document.querySelectorAll('details:not([data-print])')) details.open = false;
  return wrong;
})()
