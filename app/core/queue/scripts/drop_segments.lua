-- Deletes the segments that are cached for one task.
--
-- Uses: functions.lua
-- KEYS     none
-- ARGV[1]  name of the task
-- Returns  nothing

drop_task_segments(ARGV[1])
