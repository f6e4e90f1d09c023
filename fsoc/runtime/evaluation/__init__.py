"""The shell around fsoc/evaluation: files in, the pipeline run over again, a report out."""
