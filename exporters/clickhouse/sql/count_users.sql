-- How many users a project has.
SELECT uniqExact(user_id) AS matches
FROM traces FINAL
WHERE project = {project:String} AND user_id != ''
