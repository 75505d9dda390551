"""The commands of Tenbin: each a thin face over a public function, one file per command, loaded when called."""
