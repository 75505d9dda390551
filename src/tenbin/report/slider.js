(() => {
  "use strict";
  const slider = document.getElementById("dial");
  const block = document.getElementById("tenbin-dial");
  if (!slider || !block) return;
  const settings = JSON.parse(block.textContent);
  const charts = [...document.querySelectorAll("svg[data-dial]")].map((chart) => ({
    marker: chart.querySelector("[data-marker]"),
    spots: chart.dataset.dial.split(";").map((pair) => pair.replace(",", " ")),
  }));
  const facts = [...document.querySelectorAll("[data-show]")].map((fact) => ({
    key: fact.dataset.show,
    value: fact.querySelector(".v"),
    note: fact.querySelector(".n"),
  }));
  const bars = [...document.querySelectorAll("[data-share]")].map((row) => ({
    fill: row.querySelector(".fill"),
    value: row.querySelector(".v"),
  }));

  const show = (index) => {
    const now = settings[index];
    if (!now) return;
    slider.setAttribute("aria-valuetext", now.told);
    for (const { marker, spots } of charts) marker.setAttribute("transform", `translate(${spots[index]})`);
    for (const { key, value, note } of facts) {
      value.textContent = now[key];
      if (note && `${key}_note` in now) note.textContent = now[`${key}_note`];
    }
    bars.forEach(({ fill, value }, layer) => {
      fill.setAttribute("width", now.widths[layer]);
      value.textContent = now.shares[layer];
    });
  };

  slider.addEventListener("input", () => show(Number(slider.value)));
  show(Number(slider.value));
  document.getElementById("slider").hidden = false;
})();
