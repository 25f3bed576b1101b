# The second half of the attack runs the planted file in a separate process tree, as if a scheduler had started it.
/srv/job -c 'sleep 0.1'
