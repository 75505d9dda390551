"""The fitted router: embed, estimate, price, decide; and the fit that makes one."""
