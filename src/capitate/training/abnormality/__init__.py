"""The task `abnormality`: a screen that tells abnormal studies from others."""
