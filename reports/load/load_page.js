"use strict";
// Draws the charts of the run with uPlot. They share the pointer and the zoom.
(() => {
  const data = JSON.parse(document.getElementById("run-data").textContent);
  const shared = uPlot.sync("run");
  let charts = [];

  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  const colour = name => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const short = value => value == null ? "–" : `${+value.toPrecision(value < 1000 ? 3 : 6)}`;

  function axes(theme, unit, logarithmic) {
    const common = { stroke: theme.soft, grid: { stroke: theme.line, width: 1 }, ticks: { stroke: theme.line, width: 1 } };
    const powers = (_, values) => values.map(value => value == null || !Number.isInteger(Math.log10(value)) ? "" : `${value}`);
    return [
      { ...common, values: (_, values) => values.map(value => `${value} s`) },
      { ...common, size: 56, label: unit, labelSize: 18, ...(logarithmic ? { values: powers } : {}) },
    ];
  }

  function phases(theme) {
    return chart => {
      const { ctx, bbox } = chart;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      for (const phase of data.phases) {
        const left = chart.valToPos(phase.begin, "x", true), right = chart.valToPos(phase.end, "x", true);
        if (phase.tinted) { ctx.fillStyle = theme.tint; ctx.fillRect(left, bbox.top, right - left, bbox.height); }
      }
      ctx.restore();
    };
  }

  function objectives(theme, name) {
    const lines = data.objectives.filter(line => line.chart === name);
    return chart => {
      const { ctx, bbox } = chart;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = theme.bad;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.textAlign = "right";
      ctx.textBaseline = "bottom";
      for (const line of lines) {
        const level = chart.valToPos(line.value, "y", true);
        if (!(level >= bbox.top && level <= bbox.top + bbox.height)) continue;
        ctx.beginPath();
        ctx.moveTo(bbox.left, level);
        ctx.lineTo(bbox.left + bbox.width, level);
        ctx.stroke();
        ctx.fillText(line.name, bbox.left + bbox.width - 4, level - 2 * devicePixelRatio);
      }
      ctx.restore();
    };
  }

  function zoomTogether(chart, key) {
    if (key !== "x") return;
    const { min, max } = chart.scales.x;
    for (const other of charts) {
      if (other !== chart && (other.scales.x.min !== min || other.scales.x.max !== max)) other.setScale("x", { min, max });
    }
  }

  function draw(name, theme, { columns, unit, logarithmic = false, least = 0, right = null, paint = null }) {
    const place = document.getElementById(`chart-${name}`);
    const limits = data.objectives.filter(line => line.chart === name).map(line => line.value);
    const range = (_, low, high) => logarithmic
      ? uPlot.rangeLog(Math.min(low ?? 1, ...limits), Math.max(high ?? 10, ...limits), 10, true)
      : [0, Math.max(high ?? 0, least, ...limits) * 1.08];
    const series = columns.map(([label, tint, , scale = "y"]) => ({
      label, stroke: tint, width: 1.6, scale, points: { show: data.at.length < 60, size: 4 },
      value: (_, value) => short(value), show: true,
    }));
    const chart = new uPlot({
      width: place.clientWidth, height: 210,
      cursor: { sync: { key: shared.key }, drag: { x: true, y: false } },
      scales: { x: { time: false }, y: { range, ...(logarithmic ? { distr: 3 } : {}) },
        ...(right ? { right: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.08] } } : {}) },
      axes: [...axes(theme, unit, logarithmic),
        ...(right ? [{ scale: "right", side: 1, label: right, labelSize: 18, size: 48, stroke: theme.soft, grid: { show: false } }] : [])],
      series: [{ label: "second", value: (_, value) => value == null ? "–" : `${value}` }, ...series],
      hooks: { drawClear: [phases(theme)], draw: [...(paint ? [paint] : []), objectives(theme, name)], setScale: [zoomTogether] },
    }, [data.at, ...columns.map(([, , values]) => values)], place);
    charts.push(chart);
  }

  function heat(theme) {
    const { low, ratio, cells } = data.heat;
    const most = Math.max(1, ...cells.flat().map(([, count]) => count));
    const step = data.at.length > 1 ? data.at[1] - data.at[0] : data.end;
    return chart => {
      const { ctx, bbox } = chart;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.fillStyle = theme.blue;
      cells.forEach((rows, index) => {
        const left = chart.valToPos(data.at[index] - step / 2, "x", true), right = chart.valToPos(data.at[index] + step / 2, "x", true);
        for (const [row, count] of rows) {
          const bottom = chart.valToPos(low * ratio ** row, "y", true), top = chart.valToPos(low * ratio ** (row + 1), "y", true);
          ctx.globalAlpha = 0.12 + 0.88 * Math.log1p(count) / Math.log1p(most);
          ctx.fillRect(left, top, Math.max(right - left, 1), bottom - top);
        }
      });
      ctx.restore();
    };
  }

  function drawAll() {
    for (const chart of charts) chart.destroy();
    charts = [];
    const theme = Object.fromEntries(["soft", "line", "tint", "bad", "good", "odd", "blue", "violet"].map(name => [name, colour(name)]));
    const tints = [theme.good, theme.bad, theme.odd, theme.violet, theme.blue];
    const { started, dropped } = data.arrivals;
    const arrivals = started.some(Boolean) || dropped.some(Boolean)
      ? [["journeys started", theme.blue, started], ["dropped", theme.bad, dropped]] : [];
    draw("load", theme, { columns: [...arrivals, ["users", theme.odd, data.users, "right"]], unit: "per second", right: "users", least: 1 });
    draw("outcomes", theme, { unit: "per second", least: 1,
      columns: Object.entries(data.outcomes).map(([name, values], index) => [name, tints[index % tints.length], values]) });
    const { p50, p95, p99, max } = data.times;
    draw("times", theme, { unit: "ms", logarithmic: true,
      columns: [["p50", theme.good, p50], ["p95", theme.blue, p95], ["p99", theme.violet, p99], ["max", theme.odd, max]] });
    draw("errors", theme, { columns: [["failed", theme.bad, data.errors]], unit: "%", least: 1 });
    const none = "transparent";
    draw("heat", theme, { columns: [["fastest", none, data.heat.cells.map(rows => edge(rows[0]))],
      ["slowest", none, data.heat.cells.map(rows => edge(rows.at(-1), 1))]], unit: "ms", logarithmic: true, paint: heat(theme) });
  }

  function edge(cell, above = 0) {
    return cell ? data.heat.low * data.heat.ratio ** (cell[0] + above) : null;
  }

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  new ResizeObserver(() => {
    for (const chart of charts) {
      const width = chart.root.parentNode.clientWidth;
      if (width && width !== chart.width) chart.setSize({ width, height: chart.height });
    }
  }).observe(document.querySelector(".lives"));
  window.flowproofCharts = () => charts;
})();
